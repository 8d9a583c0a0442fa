//! The programs of one arm, and what is measured of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use process::{Launch, ServerProcess};

use super::singles::Singles;
use super::streams::HeldStreams;
use super::{SessionArm, SessionOptions};
use crate::http::Endpoint;
use crate::labs;
use crate::live::{Gauges, PoolFrame, VendorFrame};
use crate::measure::{
    LagLog, ProbeKind, ProbeLog, ProbePlan, Prober, Sampler, ServerSamples, StreamLog, with_children,
};
use crate::vendor::{LedgerError, LedgerWatch};

/// Probes per second, of each kind: two for each row of the timeline.
const PROBE_RATE: f64 = 8.0;
/// Interval between two requests of the vendor's counts.
const LEDGER_INTERVAL: Duration = Duration::from_millis(500);
/// What is kept of single probes, streams and samples: longer than the longest wait. Rows are kept for longer.
const KEPT: Duration = Duration::from_secs(60);
/// The mistake that sets the size of the pool itself.
const OWN_POOL: &str = "more-threads";

/// The probes of every arm: open loop, as in labs.
pub(super) fn probe_plan() -> ProbePlan {
    let (_, profile) = labs::demo();
    ProbePlan { kinds: ProbeKind::defaults(), rate: PROBE_RATE, timeout: profile.probe_timeout }
}

/// Why the programs of an arm do not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProgramsError {
    /// One did not start.
    #[error(transparent)]
    Start(#[from] process::StartError),
    /// The vendor has no ledger.
    #[error("cannot read the vendor's ledger: {0}")]
    Ledger(#[from] LedgerError),
}

/// An arm that runs. Dropped, its streams are closed and its programs killed.
pub(super) struct Programs {
    pub(super) streams: HeldStreams,
    pub(super) singles: Option<Singles>,
    pub(super) endpoint: Endpoint,
    pub(super) measured: Measured,
    /// When measuring began, since the start of the session.
    pub(super) began: Duration,
    ledger: LedgerWatch,
    gauges: Option<Gauges>,
    _prober: Prober,
    _sampler: Sampler,
    server: ServerProcess,
    vendor: ServerProcess,
}

/// What is measured of an arm. It can still be shown when the arm has ended.
#[derive(Clone)]
pub(super) struct Measured {
    pub(super) log: Arc<StreamLog>,
    pub(super) samples: Arc<ServerSamples>,
    pub(super) probes: Vec<Arc<ProbeLog>>,
}

impl Programs {
    /// Starts a vendor and the server of `arm`, as the demo does, without a stream. Times are since `origin`.
    pub(super) async fn start(
        arm: SessionArm,
        mistake: &str,
        options: &SessionOptions,
        origin: Instant,
    ) -> Result<Self, ProgramsError> {
        let (_, demo) = labs::demo();
        let launch = |program: &str| Launch::new(options.program_dir.join(program)).on_free_port();
        let vendor = launch("mock-llm").args(&demo.vendor).start(options.start_timeout).await?;
        let (program, flags) = command(arm, mistake);
        let upstream = vendor.url();
        let server = launch(program).args(flags).args(["--allow-mock-headers", "--upstream", &upstream]);
        let server = server.start(options.start_timeout).await?;
        let ledger = LedgerWatch::start(Endpoint::at(vendor.addr()), LEDGER_INTERVAL).await?;

        let (endpoint, lag, log) =
            (Endpoint::at(server.addr()), Arc::new(LagLog::default()), Arc::new(StreamLog::default()));
        // Under a watchdog, as some mistakes are, the server is a child.
        let samples = Arc::new(ServerSamples::new(Some(with_children(server.pid())), vec![log.clone()]));
        let began = origin.elapsed();
        let sampler = Sampler::start(origin, vec![samples.clone()]);
        let (prober, mut probes) = Prober::start(origin, vec![(endpoint.clone(), probe_plan())], lag.clone());
        let measured = Measured { log: log.clone(), samples, probes: probes.pop().unwrap_or_default() };
        Ok(Programs {
            streams: HeldStreams::start(endpoint.clone(), log, lag),
            singles: None,
            measured,
            began,
            ledger,
            // fixed-server has no pool to be shown.
            gauges: (arm == SessionArm::Broken).then(|| Gauges::start(vec![endpoint.clone()])),
            endpoint,
            _prober: prober,
            _sampler: sampler,
            server,
            vendor,
        })
    }

    /// The command line of its server.
    pub(super) fn command_line(&self) -> &str {
        self.server.command_line()
    }

    /// URL of its vendor.
    pub(super) fn vendor_url(&self) -> String {
        self.vendor.url()
    }

    /// How a program has ended, and its last output, if one has.
    pub(super) fn ended(&self) -> Option<String> {
        self.server.ended().or_else(|| self.vendor.ended())
    }

    pub(super) fn pool(&self) -> Option<PoolFrame> {
        self.gauges.as_ref().and_then(Gauges::pool)
    }

    pub(super) fn vendor_counts(&self) -> Option<VendorFrame> {
        self.ledger.latest().get()
    }
}

impl Measured {
    /// Drops what is too old to be shown; `now` is since `origin`.
    pub(super) fn forget_old(&self, origin: Instant, now: Duration) {
        let before = now.saturating_sub(KEPT);
        self.samples.forget(before);
        self.probes.iter().for_each(|log| log.forget(before));
        self.log.forget(origin + before);
    }
}

/// The program of an arm and its flags: those of the demo, with this mistake.
fn command(arm: SessionArm, mistake: &str) -> (&'static str, Vec<String>) {
    let (lab, demo) = labs::demo();
    let of_demo = demo.arms.iter().find(|of_demo| of_demo.side == arm.side());
    let (program, mut flags) = of_demo.map(|of_demo| of_demo.command(lab.name, Some(mistake))).unwrap_or_default();
    if mistake == OWN_POOL && arm == SessionArm::Broken {
        // Only `--mistake NAME`: its pool is what is wrong.
        flags.truncate(2);
    }
    (program, flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_run_as_in_the_demo() {
        let line = |arm, mistake| {
            let (program, flags) = command(arm, mistake);
            format!("{program} {}", flags.join(" "))
        };
        let broken = "broken-server --mistake rollout --blocking-threads 40";
        assert_eq!(line(SessionArm::Broken, "rollout"), broken);
        assert_eq!(line(SessionArm::Broken, "more-threads"), "broken-server --mistake more-threads");
        assert_eq!(line(SessionArm::Fixed, "rollout").trim(), "fixed-server");
    }
}
