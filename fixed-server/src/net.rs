//! Sockets: accepting, time limits, closing.

mod accept;
mod buffers;
mod descriptors;
mod lingering;
mod open_connection;
mod service;

pub(crate) use accept::{Stop, serve};
pub(crate) use buffers::bound_send_buffer;
pub(crate) use descriptors::connections_max;
