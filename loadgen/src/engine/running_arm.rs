//! One arm while it runs.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use process::{Launch, ServerProcess};
use tokio::net::TcpSocket;
use wire::ledger::Ledger;

use super::actor::Actor;
use super::cases::RunningCases;
use super::deployment::Deployed;
use super::evidence::Evidence;
use super::later_actions::LaterActions;
use super::phase_loads::{ArmLogs, PhaseLoads};
use super::phase_record::PhaseRecord;
use super::stop_log::StopLog;
use super::vendor_samples::VendorSamples;
use super::window::MeasuredServer;
use super::{LabError, Options};
use crate::http::Endpoint;
use crate::lab::{ArmRun, ClosedLoopProbe, Lab, Phase, Profile, Upstream};
use crate::measure::{ClosedLoop, ClosedLoopPlan, LagLog, ProbeLog, ServerSamples};
use crate::result::{DeploymentStats, MetricName, Side};
use crate::vendor::{self, Counts};

/// One arm while it runs. Dropped, its programs are killed.
pub struct RunningArm {
    /// Its name in the result.
    pub name: &'static str,
    /// Its side of the comparison.
    pub side: Side,
    /// The arm whose phases and claims apply to it.
    pub judged_as: &'static str,
    /// The mistake of its server, or `none`, if it is broken-server.
    pub mistake: Option<String>,
    /// Its process and streams, sampled.
    pub server_samples: Arc<ServerSamples>,
    /// Its probes, by kind.
    pub probes: Vec<Arc<ProbeLog>>,
    pub(super) server: Deployed,
    /// How the server ended, if the lab asked it to.
    pub(super) stop: Arc<StopLog>,
    pub(super) actions: LaterActions,
    pub(super) seen: Vec<PhaseRecord>,
    pub(super) closed_loop: Option<ClosedLoop>,
    pub(super) vendor_samples: Arc<VendorSamples>,
    pub(super) endpoint: Endpoint,
    /// The servers' own metrics that claims name.
    pub(super) metrics: Vec<MetricName>,
    /// The requests of its phases.
    pub(super) logs: ArmLogs,
    /// How much later than a phase its loads begin.
    loads_later: Duration,
    lag: Arc<LagLog>,
    vendor: Vendor,
}

/// With the database that `url` names. By environment: other users of this machine can read a program's arguments.
fn with_database(server: Launch, url: Option<&str>) -> Launch {
    let Some(url) = url else { return server };
    ["BROKEN_SERVER_DATABASE_URL", "FIXED_SERVER_DATABASE_URL"]
        .iter()
        .fold(server, |server, name| server.env(*name, url))
}

/// The upstream of the arm's server.
enum Vendor {
    Mock(ServerProcess),
    /// A reserved port on which nothing listens.
    Unreachable(SocketAddr, #[expect(dead_code, reason = "held, not read")] TcpSocket),
}

/// What is known of an arm once the run is over.
pub(super) struct ArmAtEnd {
    /// The vendor's complete ledger, if there is a vendor.
    pub(super) ledger: Option<Ledger>,
    /// What became of the server's processes, if it is no single process.
    pub(super) deployment: Option<DeploymentStats>,
}

impl RunningArm {
    /// Starts the programs of `arm_run`.
    pub(super) async fn start(
        lab: &Lab,
        profile: &'static Profile,
        arm_run: ArmRun,
        options: &Options,
        lag: &Arc<LagLog>,
    ) -> Result<Self, LabError> {
        let vendor = match &arm_run.vendor_of.upstream {
            Upstream::Vendor(more) => {
                let mock = Launch::new(options.program_dir.join("mock-llm")).on_free_port();
                let mock = mock.args(profile.vendor.iter().chain(more));
                Vendor::Mock(mock.start(options.start_timeout).await?)
            }
            Upstream::Unreachable => Vendor::unreachable().map_err(LabError::NoPort)?,
        };
        let mistake = arm_run.arm.mistake(lab.name, options.mistake.as_deref()).map(str::to_owned);
        let (server, flags) = arm_run.arm.command(lab.name, options.mistake.as_deref());
        let upstream = format!("http://{}", vendor.addr());
        let server = Launch::new(options.program_dir.join(server)).args(&flags);
        let server = server.args(["--allow-mock-headers", "--upstream", &upstream]);
        let server = with_database(server, options.database_url.as_deref());
        let server = Deployed::start(&arm_run.arm.deployment, server, options).await?;
        let logs = ArmLogs::default();
        Ok(RunningArm {
            name: &arm_run.arm.name,
            side: arm_run.arm.side,
            judged_as: arm_run.judged_as,
            mistake,
            server_samples: Arc::new(ServerSamples::new(Some(server.pids()), logs.all())),
            probes: Vec::new(),
            seen: Vec::new(),
            closed_loop: None,
            vendor_samples: Arc::default(),
            endpoint: Endpoint::at(server.addr()),
            metrics: profile.metrics(),
            logs,
            loads_later: arm_run.arm.loads_later,
            lag: lag.clone(),
            server,
            stop: Arc::default(),
            actions: LaterActions::default(),
            vendor,
        })
    }

    /// URL of its server.
    #[must_use]
    pub fn server_url(&self) -> String {
        self.endpoint.to_string()
    }

    /// URL of its vendor, if it has one.
    #[must_use]
    pub fn vendor_url(&self) -> Option<String> {
        self.vendor.endpoint().map(|endpoint| endpoint.to_string())
    }

    /// Its servers, without a balancer.
    #[must_use]
    pub fn servers(&self) -> Vec<Endpoint> {
        self.server.servers()
    }

    /// When `phase` began, since the start of the run, if it is the arm's last one so far.
    #[must_use]
    pub fn began(&self, phase: &Phase) -> Option<Duration> {
        self.seen.last().filter(|seen| std::ptr::eq(seen.phase, phase)).map(|seen| seen.begun)
    }

    /// How many streams and calls the loads begun so far ask for at `now`, since the start of the run.
    #[must_use]
    pub fn asked(&self, now: Duration) -> u64 {
        self.seen.iter().map(|seen| seen.asked(now)).sum()
    }

    /// The counts of its vendor's ledger, as of its last answer, if it has a vendor.
    #[must_use]
    pub fn latest_counts(&self) -> Option<Counts> {
        self.vendor_samples.latest()
    }

    /// What is measured of its server from outside.
    pub(super) fn measured(&self) -> MeasuredServer<'_> {
        MeasuredServer { probes: &self.probes, samples: &self.server_samples }
    }

    /// Starts the closed-loop probe.
    pub(super) fn start_closed_loop(&mut self, origin: Instant, probe: ClosedLoopProbe, timeout: Duration) {
        let plan = ClosedLoopPlan { path: probe.path.to_owned(), pause: probe.pause, timeout };
        self.closed_loop = Some(ClosedLoop::start(origin, self.endpoint.clone(), plan));
    }

    /// Performs the first actions of `phase`, starts its streams and calls, and sees to the later actions.
    pub(super) async fn begin(&mut self, phase: &'static Phase, origin: Instant) -> Result<(), LabError> {
        let actor = self.actor();
        self.actions.begin(phase, self.name, &actor, origin).await?;
        let loads = PhaseLoads::start(phase, self.loads_later, &self.endpoint, &self.logs, &self.lag);
        let (begun, not_yet) = (origin.elapsed(), Duration::ZERO);
        let seen = PhaseRecord {
            phase,
            begun,
            from: not_yet,
            to: not_yet,
            loads,
            cases: None,
            tokens_received: 0,
            evidence: None,
            deployment: None,
        };
        self.seen.push(seen);
        Ok(())
    }

    /// Starts the cases of the current phase, if it has any.
    pub(super) fn start_cases(&mut self) {
        let (server, vendor) = (self.endpoint.clone(), self.vendor.endpoint());
        if let Some(seen) = self.seen.last_mut().filter(|seen| !seen.phase.cases.is_empty()) {
            seen.cases = Some(RunningCases::start(seen.phase, server, vendor));
        }
    }

    fn actor(&self) -> Actor {
        Actor {
            endpoint: self.endpoint.clone(),
            vendor: self.vendor.endpoint(),
            server: self.server.single(),
            stop: self.stop.clone(),
        }
    }

    /// The address of its vendor, if it has one.
    pub(super) fn vendor_endpoint(&self) -> Option<Endpoint> {
        self.vendor.endpoint()
    }

    /// What keeps the run from going on: a program that has ended without being asked to, or an action that failed.
    pub(super) fn trouble(&mut self) -> Option<LabError> {
        if let Some(why) = self.ended() {
            return Some(LabError::Ended(why));
        }
        self.actions.failed()
    }

    /// The last output of a program that has ended without being asked to, if one has.
    pub(super) fn ended(&mut self) -> Option<String> {
        let vendor = match &mut self.vendor {
            Vendor::Mock(program) => program.ended(),
            Vendor::Unreachable(..) => None,
        };
        let server = self.server.ended().filter(|_| !self.stop.is_asked());
        server.or(vendor)
    }

    /// What can be read from outside now. The servers' metrics are read only if a claim names one.
    pub(super) async fn evidence(&self, origin: Instant) -> Result<Evidence, LabError> {
        let servers = if self.metrics.is_empty() { Vec::new() } else { self.server.servers() };
        let evidence = Evidence::read(self.vendor.endpoint(), &self.server_samples, &servers, origin);
        let (evidence, balancer) = tokio::join!(evidence, self.server.balancer_stats());
        Ok(evidence?.with_balancer(balancer))
    }

    /// The vendor's counts, if there is a vendor.
    pub(super) async fn vendor_counts(&self) -> Result<Option<Ledger>, LabError> {
        Ok(match self.vendor.endpoint() {
            Some(endpoint) => Some(vendor::counts(&endpoint).await?),
            None => None,
        })
    }

    /// What is read once, after the last phase.
    pub(super) async fn at_end(&self, origin: Instant) -> Result<ArmAtEnd, LabError> {
        let ledger = match self.vendor.endpoint() {
            Some(endpoint) => Some(vendor::ledger(&endpoint).await?),
            None => None,
        };
        Ok(ArmAtEnd { ledger, deployment: self.server.stats(origin).await })
    }
}

impl Vendor {
    fn unreachable() -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Vendor::Unreachable(socket.local_addr()?, socket))
    }

    fn addr(&self) -> SocketAddr {
        match self {
            Vendor::Mock(program) => program.addr(),
            Vendor::Unreachable(addr, _) => *addr,
        }
    }

    fn endpoint(&self) -> Option<Endpoint> {
        match self {
            Vendor::Mock(program) => Some(Endpoint::at(program.addr())),
            Vendor::Unreachable(..) => None,
        }
    }
}
