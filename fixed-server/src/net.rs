/// Accepting connections, and serving each until its orderly end.
mod accept;
/// A limit on how long a client may not read.
mod write_timeout;

pub(crate) use accept::{Stop, serve};
