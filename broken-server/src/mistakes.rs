/// The control: nothing is wrong.
pub(crate) mod none;
/// Threads, pools and the event loop.
pub(crate) mod threads;
