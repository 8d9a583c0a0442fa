//! An actix-web server that is wrong on purpose, in exactly one named way at a time.
//!
//! `--mistake NAME` chooses what is wrong; `--mistake none` is the control, the same server with
//! nothing wrong. A mistake is one file under `mistakes/`. Everything else is shared and
//! meant to be right, so that a measurement shows the mistake and nothing else.
//!
//! Where to start: [`registry`] lists the mistakes, `mistakes/none.rs` is the control, `mistakes/threads/` has the
//! mistakes, and `call_style.rs` is the trait that most of them implement.

pub mod cli;
pub mod registry;
pub mod settings;

mod mistake;
mod mistakes;

mod call;
mod call_style;
mod chat;
mod database;
mod event_stream;
mod format;
mod pool;
mod relay;
mod upstream;

mod api;
mod call_guard;
mod errors;
mod metrics;
mod observe;
mod request;
mod state;

mod app;
mod net;
mod shutdown;

pub use app::{bind, run};
pub use mistake::{Group, Mistake};
pub use state::StartError;
