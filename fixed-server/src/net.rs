/// Accepting connections, and serving each until its orderly end.
mod accept;
/// Limits on what the system holds for a client that does not read.
mod buffers;
/// How many connections there are descriptors for.
mod descriptors;
/// The end of a connection with a request that was refused before its body was read.
mod lingering;
/// The service on one connection.
mod service;
/// A limit on how long a client may not read.
mod write_timeout;

pub(crate) use accept::{Stop, serve};
pub(crate) use buffers::{bound_receive_buffer, bound_send_buffer};
pub(crate) use descriptors::connections_max;
