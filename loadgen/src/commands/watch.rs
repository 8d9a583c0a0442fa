use std::time::Duration;

use super::CommandError;
use super::single::{Observation, pass};
use crate::cli::WatchArgs;
use crate::http::Endpoint;
use crate::measure::{ProbeKind, ProbePlan};
use crate::report::{self, Terminal};

/// Probes of each kind a second.
const RATE: f64 = 4.0;

/// The source's monitor loop, with a schedule: a check that hangs does not hold up the next.
pub(super) async fn execute(args: &WatchArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let endpoint = Endpoint::parse(&args.url)?;
    let plan = ProbePlan { kinds: ProbeKind::defaults(), rate: RATE, timeout: args.timeout };
    let seen = Observation::begin(&endpoint, plan, None, 0).await?;
    report::heading_of_one(terminal, &endpoint.to_string(), &seen.probes);
    pass(&seen, args.duration.unwrap_or(Duration::MAX / 2), terminal).await;
    Ok(0)
}
