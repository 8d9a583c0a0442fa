//! The processes of an arm's server while they run.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use process::{Cause, Launch, Restart, ServerProcess, Supervisor};
use tokio::time::{sleep, timeout};

use super::{LabError, Options};
use crate::balancer::{BalancerStats, ReadyBackends, STATS_PATH};
use crate::http::{self, ANSWER_BYTES_MAX, Endpoint};
use crate::lab::{Deployment, Supervision};
use crate::measure::{Pids, with_children};
use crate::numbers::in_millis;
use crate::result::{DeploymentStats, PhaseBalancer, PhaseDeployment, RestartStats};

/// The processes of an arm's server. Dropped, they are killed, also those that are being started or stopped.
pub(super) enum Deployed {
    Single(Arc<ServerProcess>),
    Supervised(Supervisor),
    Replicas { servers: Vec<Arc<ServerProcess>>, balancer: ServerProcess },
}

impl Deployed {
    /// Starts what `deployment` says, with the server of `launch`, and waits until all of it answers.
    pub(super) async fn start(deployment: &Deployment, launch: Launch, options: &Options) -> Result<Self, LabError> {
        let limit = options.start_timeout;
        match deployment {
            Deployment::Single => Ok(Deployed::Single(Arc::new(launch.on_free_port().start(limit).await?))),
            Deployment::Supervised(Supervision { path, rules }) => {
                let (name, path) = (launch.name().to_owned(), path.clone());
                let probe = move |addr| is_alive(addr, path.clone());
                let started = Supervisor::start(launch, rules.clone(), limit, probe).await;
                Ok(Deployed::Supervised(started.map_err(|error| LabError::Supervisor(name, error))?))
            }
            Deployment::Replicas { count, balancer } => {
                let servers = (0..*count).map(|_| launch.clone().on_free_port().start(limit));
                let servers: Vec<_> = try_join_all(servers).await?.into_iter().map(Arc::new).collect();
                let backends = servers.iter().flat_map(|server| ["--backend".to_owned(), server.url()]);
                let launch = Launch::new(options.program_dir.join("loadgen")).args(["balancer"]);
                let balancer = launch.args(backends).args(balancer).on_free_port().start(limit).await?;
                wait_until_ready(&Endpoint::at(balancer.addr()), servers.len() as u64, limit).await?;
                Ok(Deployed::Replicas { servers, balancer })
            }
        }
    }

    /// Where requests go.
    pub(super) fn addr(&self) -> SocketAddr {
        match self {
            Deployed::Single(server) => server.addr(),
            Deployed::Supervised(supervisor) => supervisor.addr(),
            Deployed::Replicas { balancer, .. } => balancer.addr(),
        }
    }

    /// The servers themselves, without the balancer.
    pub(super) fn servers(&self) -> Vec<Endpoint> {
        match self {
            Deployed::Single(_) | Deployed::Supervised(_) => vec![Endpoint::at(self.addr())],
            Deployed::Replicas { servers, .. } => servers.iter().map(|server| Endpoint::at(server.addr())).collect(),
        }
    }

    /// The one process, for signals; empty if there is no single one. It is not kept alive.
    pub(super) fn single(&self) -> Weak<ServerProcess> {
        match self {
            Deployed::Single(server) => Arc::downgrade(server),
            Deployed::Replicas { servers, .. } if servers.len() == 1 => Arc::downgrade(&servers[0]),
            Deployed::Supervised(_) | Deployed::Replicas { .. } => Weak::new(),
        }
    }

    /// The process ids of the servers, which change with a restart.
    pub(super) fn pids(&self) -> Pids {
        match self {
            // Under a watchdog, the server is its child.
            Deployed::Single(server) => with_children(server.pid()),
            Deployed::Supervised(supervisor) => {
                let pid = supervisor.pid();
                Box::new(move || pid().into_iter().collect())
            }
            Deployed::Replicas { servers, .. } => {
                let pids: Vec<_> = servers.iter().map(|server| server.pid()).collect();
                Box::new(move || pids.clone())
            }
        }
    }

    /// The command line of a server.
    pub(super) fn command_line(&self) -> String {
        match self {
            Deployed::Single(server) => server.command_line().to_owned(),
            Deployed::Supervised(supervisor) => supervisor.command_line().to_owned(),
            Deployed::Replicas { servers, .. } => {
                servers.first().map(|server| server.command_line().to_owned()).unwrap_or_default()
            }
        }
    }

    /// Why a server does not run any more that should, and its last output.
    pub(super) fn ended(&self) -> Option<String> {
        match self {
            Deployed::Single(server) => server.ended(),
            Deployed::Supervised(supervisor) => {
                let program = supervisor.command_line().split(' ').next().unwrap_or_default();
                supervisor.gave_up().map(|why| format!("the supervisor gave up on {program}: {why}"))
            }
            Deployed::Replicas { servers, balancer } => {
                servers.iter().find_map(|server| server.ended()).or_else(|| balancer.ended())
            }
        }
    }

    /// The balancer's counts now, if there is one and it answers.
    pub(super) async fn balancer_stats(&self) -> Option<BalancerStats> {
        let Deployed::Replicas { balancer, .. } = self else { return None };
        balancer_stats(&Endpoint::at(balancer.addr())).await
    }

    /// What has become of the processes since `origin`, the start of the run.
    pub(super) async fn stats(&self, origin: Instant) -> Option<DeploymentStats> {
        match self {
            Deployed::Single(_) => None,
            Deployed::Supervised(supervisor) => {
                let restarts =
                    supervisor.restarts().into_iter().map(|restart| restart_stats(restart, origin)).collect();
                Some(DeploymentStats { restarts, ..DeploymentStats::default() })
            }
            Deployed::Replicas { servers, .. } => {
                let balancer = self.balancer_stats().await;
                let ready = balancer.iter().flat_map(|stats| in_time_of_run(stats, origin.elapsed()));
                Some(DeploymentStats {
                    replicas: Some(servers.len() as u64),
                    ready_over_time: ready.collect(),
                    balancer,
                    ..DeploymentStats::default()
                })
            }
        }
    }

    /// What became of them between two times since `origin`, with the balancer's counts at both.
    pub(super) fn phase_stats(
        &self,
        origin: Instant,
        between: [Duration; 2],
        balancer: [Option<&BalancerStats>; 2],
    ) -> Option<PhaseDeployment> {
        let [begun, ended] = between;
        match self {
            Deployed::Single(_) => None,
            Deployed::Supervised(supervisor) => {
                let restarts = supervisor.restarts();
                let in_phase =
                    |restart: &&Restart| (begun..ended).contains(&restart.at.saturating_duration_since(origin));
                let by_liveness = restarts.iter().filter(in_phase).filter(|restart| restart.cause == Cause::Liveness);
                Some(PhaseDeployment {
                    restarts: Some(restarts.iter().filter(in_phase).count() as u64),
                    liveness_restarts: Some(by_liveness.count() as u64),
                    balancer: None,
                })
            }
            Deployed::Replicas { .. } => {
                let [begun, ended] = balancer;
                let balancer = begun.zip(ended).map(|(begun, ended)| PhaseBalancer::between(begun, ended));
                Some(PhaseDeployment { balancer, ..PhaseDeployment::default() })
            }
        }
    }
}

/// A liveness probe. As in Kubernetes, any status from 200 to 399 is a success.
async fn is_alive(addr: SocketAddr, path: String) -> Result<(), String> {
    match http::get(&Endpoint::at(addr), &path, 0).await {
        Ok((200..=399, _)) => Ok(()),
        Ok((status, _)) => Err(format!("status {status}")),
        Err(error) => Err(error.to_string()),
    }
}

async fn balancer_stats(balancer: &Endpoint) -> Option<BalancerStats> {
    const TIMEOUT: Duration = Duration::from_secs(5);
    let (_, body) = timeout(TIMEOUT, http::get(balancer, STATS_PATH, ANSWER_BYTES_MAX)).await.ok()?.ok()?;
    serde_json::from_slice(&body).ok()
}

async fn wait_until_ready(balancer: &Endpoint, replicas: u64, limit: Duration) -> Result<(), LabError> {
    const POLL: Duration = Duration::from_millis(10);
    let began = Instant::now();
    loop {
        let ready = balancer_stats(balancer).await.map_or(0, |stats| stats.ready);
        if ready == replicas {
            return Ok(());
        }
        if began.elapsed() > limit {
            return Err(LabError::NotReady { ready, replicas, limit });
        }
        sleep(POLL).await;
    }
}

fn restart_stats(restart: Restart, origin: Instant) -> RestartStats {
    RestartStats {
        at_ms: in_millis(restart.at.saturating_duration_since(origin)),
        cause: match restart.cause {
            Cause::Liveness => "liveness",
            Cause::Ended => "ended",
        }
        .to_owned(),
        detail: restart.detail,
        back_off_ms: in_millis(restart.back_off),
    }
}

/// The changes in the number of ready replicas, in the time of a run that has lasted until `now`. What was before the
/// run counts as its start.
fn in_time_of_run(stats: &BalancerStats, now: Duration) -> Vec<ReadyBackends> {
    let began = in_millis(now) - stats.uptime_ms;
    let changes = stats.ready_over_time.iter();
    let mut changes: Vec<_> =
        changes.map(|change| ReadyBackends { at_ms: (began + change.at_ms).max(0.0), ..*change }).collect();
    let before = changes.iter().take_while(|change| change.at_ms <= 0.0).count();
    changes.drain(..before.saturating_sub(1));
    changes
}
