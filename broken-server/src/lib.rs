//! An actix-web server that is wrong on purpose, in exactly one named way at a time.
//!
//! `--mistake NAME` chooses what is wrong; `--mistake none` is the control, the same server with
//! nothing wrong. A mistake is one file under `mistakes/`. All else is shared and meant to be right,
//! so that what a measurement shows is the mistake and nothing besides.
//!
//! Read in this order: [`registry`] has the list, `mistakes/none.rs` the right way, the files beside
//! it the wrong ones, `calls.rs` what they plug into.

/// The registry of mistakes, from which the command line, `--list` and the start-up message derive.
pub mod registry;
/// Flags, their checks, and the environment variables of the same names.
pub mod settings;

/// One file for each mistake, and the control.
mod mistakes;

/// What a mistake supplies: how the vendor is called. Everything around such a call.
mod calls;
/// The instrumented blocking pool.
mod pool;
/// From the vendor's events to the client's, with the status held back until the first token.
mod relay;
/// The vendor's clients, blocking and asynchronous.
mod vendor;

/// The routes.
mod api;
/// Failures, and the one place that maps them to HTTP.
mod errors;
/// Counters, gauges and histograms of `/metrics`.
mod metrics;
/// The middleware around every request: its id, its count, its panics.
mod observe;
/// Reading and refusing requests.
mod request;
/// What all requests share.
mod state;

/// The HTTP server: sockets, limits, an orderly stop.
mod app;
/// Signals.
pub mod shutdown;

pub use app::{RunError, bind, run};
