//! An axum server that streams from a slow vendor and stays up.
//!
//! [`settings`] has the limits, `stack.rs` the order of a call on one screen. README.md has the files in the order in
//! which a request passes through them.

pub mod settings;

mod stack;

mod body_memory;
mod call;
mod chat;
mod identity;

mod body;
mod errors;
mod outcome;
mod upstream;

mod sessions;

mod api;
mod look_ups;
mod observe;
mod request;
mod state;

mod app;
pub mod commands;
mod net;
pub mod telemetry;

pub use app::{Server, bind};
pub use sessions::{DatabaseError, OpenError};
pub use state::StartError;
