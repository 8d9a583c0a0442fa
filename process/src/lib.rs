//! Starts programs as child processes, waits until they listen, and leaves none behind.
//!
//! A [`Launch`] says how a program is run. [`Launch::start`] runs it and waits for its ready line
//! (`listening on http://ADDR` on stderr); [`Launch::spawn`] runs it without waiting; [`Launch::output`] runs
//! it to its end. Every call that waits exists for async callers and, as `..._blocking`, for others.
//!
//! A [`Supervisor`] keeps a program running by the rules of Kubernetes' liveness probes.
//!
//! A child is killed and waited for when its value is dropped, also by a panic. When this process ends
//! without time to drop anything, the programs of this workspace end with it: see [`program::parent`].

mod child;
mod drain;
mod error;
mod launch;
mod locate;
mod log;
mod output;
mod poll;
mod server;
mod signal;
mod supervisor;
mod usage;

pub use child::Process;
pub use error::{SignalError, StartError, WaitError};
pub use launch::Launch;
pub use locate::program_dir;
pub use output::Output;
pub use server::{START_TIMEOUT, ServerProcess};
pub use signal::Signal;
pub use supervisor::{BackOffRules, Cause, Restart, Rules, Supervisor, SupervisorError};
pub use usage::{Usage, usage_of};
