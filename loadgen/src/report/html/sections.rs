//! The parts of the report of a run, in order.

use super::writer::Html;
use super::{about, cases, charts, claims, diagnosis, latency, machines, process, streams, vendor};
use crate::result::RunResult;

/// A part: its id, its title and what writes it.
pub(super) type Section = (&'static str, &'static str, fn(&mut Html, &RunResult));

/// The parts. One that has nothing to say is left out.
pub(super) const SECTIONS: [Section; 15] = [
    ("staircase", "Streams and probes", diagnosis::staircase),
    ("evidence", "Evidence", diagnosis::evidence),
    ("advice", "What to change", diagnosis::advice),
    ("over-time", "The run over time", charts::over_time),
    ("claims", "What was required", claims::claims),
    ("health", "Health checks", latency::health),
    ("waiting", "What users waited for", latency::requests),
    ("streams", "Streams and calls", streams::streams),
    ("cases", "Requests one by one", cases::cases),
    ("vendor", "The vendor's ledger", vendor::vendor),
    ("processes", "Processes", process::process),
    ("machines", "Machines", machines::machines),
    ("parameters", "Parameters", about::parameters),
    ("environment", "Environment", about::environment),
    ("repeat", "How to repeat it", about::repeat),
];
