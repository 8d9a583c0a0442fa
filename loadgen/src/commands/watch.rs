//! `loadgen watch`

mod view;

use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use self::view::View;
use super::CommandError;
use super::preflight::check_reachable;
use super::target::probe_kinds;
use crate::cli::WatchArgs;
use crate::engine::Ticks;
use crate::http::Endpoint;
use crate::measure::{ProbePlan, Prober, get_health};
use crate::report::Terminal;

/// Probes per second, of each kind.
const RATE: f64 = 4.0;
/// Until Ctrl-C: a century.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The original script's monitor loop, but on a schedule: a check that hangs does not delay the next. The
/// server's own metrics are shown beside the checks, if it has any.
pub(super) async fn execute(args: &WatchArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let endpoint = Endpoint::parse(&args.url)?;
    let plan = ProbePlan { kinds: probe_kinds(&args.probes)?, rate: RATE, timeout: args.timeout };
    check_reachable(&endpoint).await?;
    check_paths(&endpoint, &plan).await?;

    let origin = Instant::now();
    let (_prober, logs) = Prober::start(origin, vec![(endpoint.clone(), plan)], std::sync::Arc::default());
    let mut view = View::open(&args.url, &endpoint, origin, &logs[0], !args.display.plain, terminal).await;
    let show = |tick| -> Result<(), Infallible> {
        view.tick(tick);
        Ok(())
    };
    // Showing it cannot fail.
    let Ok(()) = Ticks::since(origin).wait(args.duration.unwrap_or(FOR_EVER), show).await;
    Ok(0)
}

/// Rejects wrong paths: all checks are answered 4xx. Other failures are accepted, since the server may be in
/// trouble already.
async fn check_paths(endpoint: &Endpoint, plan: &ProbePlan) -> Result<(), CommandError> {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let mut rejected = None;
    for kind in &plan.kinds {
        match timeout(plan.timeout.min(TIMEOUT), get_health(endpoint, kind)).await {
            Ok(Ok(answer)) if (400..500).contains(&answer.status) => {
                let (path, why) = (kind.path.clone(), format!("answered {}", answer.status));
                rejected.get_or_insert(CommandError::HealthBeforeLoad { path, why, flag: "--probe NAME=PATH" });
            }
            _ => return Ok(()),
        }
    }
    rejected.map_or(Ok(()), Err)
}
