//! An actix-web server that is wrong on purpose, in exactly one named way at a time.
//!
//! `--mistake NAME` chooses what is wrong; `--mistake none` is the control, the same server with
//! nothing wrong. A mistake is one file under `mistakes/`. All else is shared and meant to be right,
//! so that what a measurement shows is the mistake and nothing besides.
//!
//! Read in this order: [`registry`] has the list, `mistakes/none.rs` the right way, the files beside
//! it the wrong ones, `call_style.rs` what they plug into.

pub mod cli;
pub mod registry;
pub mod settings;

mod mistake;
mod mistakes;

mod call;
mod call_style;
mod event_stream;
mod pool;
mod relay;
mod upstream;

mod api;
mod errors;
mod metrics;
mod observe;
mod request;
mod state;

mod app;

pub use app::{bind, run};
pub use mistake::{Group, Mistake};
pub use state::StartError;
