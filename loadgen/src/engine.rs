//! Runs a lab: starts its programs, goes through its phases, and collects the result.

mod actor;
mod cases;
mod collect;
mod deployment;
mod error;
mod evidence;
mod later_actions;
mod options;
mod phase_loads;
mod phase_record;
mod run;
mod running_arm;
mod server_metrics;
mod stop_log;
mod ticks;
mod vendor_samples;
mod window;

pub use error::LabError;
pub use options::Options;
pub use run::{LabRun, Progress, run};
pub use running_arm::RunningArm;
pub use server_metrics::scrape;
pub use ticks::{Tick, Ticks};
pub use window::MeasuredServer;
