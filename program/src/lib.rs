//! What all programs of this workspace share: logging, whole lines on stderr, signals, exit with the parent process, a
//! watchdog over a worker process, suggestions for misspelt names. Nothing here depends on HTTP.

/// Environment variables that set flags.
pub mod environment;
/// Logging that never blocks, one line per event.
pub mod logs;
/// Exit of a child process with its parent.
pub mod parent;
/// The signals that ask a program to stop.
pub mod signals;
/// Lines on stderr that stay whole beside those of another process.
pub mod stderr;
/// Suggestions for misspelt names.
pub mod suggestion;
/// A watchdog that kills a worker whose event loop is blocked.
pub mod watchdog;
