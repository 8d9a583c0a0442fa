//! An axum server that streams from a slow vendor and stays up.
//!
//! Read in this order: [`settings`] has the limits, `stack.rs` the order of one request's path on one
//! screen, `upstream.rs` the call itself, `body.rs` what a stream holds while it runs.

pub mod settings;

/// THE ORDER: everything between a good request and its vendor's answer.
mod stack;

/// The memory that bodies of requests take.
mod body_memory;
mod call;
/// What a request asks for.
mod chat;
mod identity;
mod users;

mod body;
mod errors;
mod outcome;
mod upstream;

/// Keys and sessions, in a database.
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
pub use sessions::{DatabaseError, DatabaseUrl, InvalidKey, KeyHash, OpenError};
pub use state::StartError;
