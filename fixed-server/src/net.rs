/// Accepting connections, and serving each until its orderly end.
mod accept;
/// The end of a connection with a request that was refused before its body was read.
mod lingering;
/// The service on one connection.
mod service;
/// A limit on how long a client may not read.
mod write_timeout;

pub(crate) use accept::{Stop, serve};
