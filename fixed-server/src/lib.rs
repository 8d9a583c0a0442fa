//! An axum server that streams from a slow vendor and stays up.
//!
//! Read in this order: [`settings`] has the limits, `stack.rs` the order of one request's path on one
//! screen, `upstream.rs` the call itself, `body.rs` what a stream holds while it runs.

/// Flags, their checks, and the environment variables of the same names.
pub mod settings;

/// THE ORDER: everything between a good request and its vendor's answer.
mod stack;

/// The memory that bodies of requests take.
mod bodies;
/// A request to the vendor, and what it needs to be let in.
mod call;
/// What a request asks for.
mod chat;
/// Whose request it is.
mod identity;
/// The limits of each user.
mod users;

/// A streamed answer and what it holds while it runs.
mod body;
/// Failures, and the one place that maps them to HTTP.
mod errors;
/// How each request ends, exactly once.
mod outcome;
/// The vendor's client: one, shared, asynchronous.
mod upstream;

/// Keys and sessions, in a database.
mod sessions;

/// The routes, one file an endpoint.
mod api;
/// The middleware around every request: its id, its count, its panics.
mod observe;
/// Reading and refusing requests.
mod request;
/// What all requests share.
mod state;

/// The server: from a listener to its orderly end.
mod app;
/// What the program does in place of serving.
pub mod commands;
/// Sockets: accepting, time limits, the orderly end of connections.
mod net;
/// Signals.
pub mod shutdown;
/// Logs and metrics.
pub mod telemetry;

pub use app::{Server, StartError, bind};
pub use sessions::{DatabaseError, DatabaseUrl, InvalidKey, KeyHash, OpenError};
