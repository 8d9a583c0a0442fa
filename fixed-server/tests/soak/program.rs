//! The program, and its metrics.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use process::{Launch, START_TIMEOUT, ServerProcess};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use wire::prometheus::Scrape;

/// Unused connections to the vendor are closed after 4 s and checked once a second: a state that has not changed for
/// longer will not change any more.
const REST: Duration = Duration::from_secs(6);

/// The longest wait for rest.
const REST_WITHIN: Duration = Duration::from_secs(60);

/// The program, killed when dropped.
pub(crate) struct Program {
    process: ServerProcess,
    pub(crate) addr: SocketAddr,
    pub(crate) client: reqwest::Client,
}

/// The program's metrics, and what the system reports about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    /// Its `/metrics`.
    pub(crate) metrics: Scrape,
    /// Open descriptors, if the system reports them.
    pub(crate) descriptors: Option<usize>,
}

impl Program {
    pub(crate) async fn start(upstream: &str, flags: &[&str]) -> Self {
        let launch = Launch::new(env!("CARGO_BIN_EXE_fixed-server")).on_free_port().args(["--upstream", upstream]);
        // From now on it logs only warnings, which should be seen.
        let process = launch.args(flags.iter().copied()).echo().start(START_TIMEOUT).await.unwrap();
        // One connection per request: a disconnect then closes a connection.
        let client = gateway::http_client().pool_max_idle_per_host(0).build().unwrap();
        Program { addr: process.addr(), process, client }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The state at rest: it has not changed for [`REST`], apart from this request.
    pub(crate) async fn at_rest(&self) -> State {
        let deadline = Instant::now() + REST_WITHIN;
        let (mut last, mut since) = (self.state().await, Instant::now());
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = self.state().await;
            let busy = ["llm_concurrent_calls", "llm_queue_length", "llm_open_streams"];
            let same = busy.iter().all(|gauge| now.sum(gauge) == 0.0)
                && now.sum("http_connections") == last.sum("http_connections")
                && now.sum("runtime_tasks") == last.sum("runtime_tasks")
                && now.descriptors == last.descriptors;
            if !same {
                since = Instant::now();
            }
            if since.elapsed() > REST || Instant::now() > deadline {
                return now;
            }
            last = now;
        }
    }

    async fn state(&self) -> State {
        // Before the request, whose own connection is still closing after it.
        let descriptors = self.descriptors();
        let text = self.client.get(self.url("/metrics")).send().await.unwrap().text().await.unwrap();
        State { metrics: Scrape::parse(&text).unwrap(), descriptors }
    }

    fn descriptors(&self) -> Option<usize> {
        let pid = Pid::from_u32(self.process.pid());
        let mut system = System::new();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, ProcessRefreshKind::nothing());
        system.process(pid)?.open_files()
    }
}

impl State {
    /// The sum of a metric over its labels.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.metrics.sum(name).unwrap_or_else(|| panic!("there is no metric {name}"))
    }
}
