//! Sockets: accepting, time limits, the orderly end of connections.

mod accept;
mod buffers;
mod descriptors;
/// The end of a connection with a request that was refused before its body was read.
mod lingering;
mod open_connection;
/// The service on one connection.
mod service;
mod write_timeout;

pub(crate) use accept::{Stop, serve};
pub(crate) use buffers::bound_send_buffer;
pub(crate) use descriptors::connections_max;
