//! The process of `--pid`: what it uses is evidence only if it has the connections.

use std::net::SocketAddr;
use std::time::Duration;

use loadgen::diagnose::DiagnoseOptions;
use loadgen::http::{Endpoint, get};
use loadgen::result::Diagnosis;
use process::{Launch, START_TIMEOUT};

use super::{CHECK, GOOD, diagnosed, options};
use crate::scripted::{serve, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_not_the_servers_is_named_and_left_out() {
    let (backend, _) = serve(GOOD, CHECK).await;
    let backend = format!("http://{backend}");
    // A process of its own has the connections: in this one, other tests open and close theirs.
    let balancer = Launch::new(env!("CARGO_BIN_EXE_loadgen"));
    let balancer = balancer.args(["balancer", "--backend", &backend, "--ready-path", "/health", "--period", "20ms"]);
    let server = balancer.on_free_port().start(START_TIMEOUT).await.unwrap();
    until("the balancer is ready", async || is_ready(server.addr()).await).await;
    let other = Launch::new("sleep").args(["60"]).spawn().unwrap();
    let with_pid = |pid| {
        let options = DiagnoseOptions { pid: Some(pid), budget: Duration::from_secs(25), ..options(server.addr()) };
        async move { diagnosed(&options, |_| {}).await.unwrap() }
    };
    let (of_other, of_own) = tokio::join!(with_pid(other.pid()), with_pid(server.pid()));
    let names_pid = |found: &Diagnosis| found.evidence.iter().any(|sentence| sentence.contains("--pid"));
    assert!(names_pid(&of_other), "{of_other:?}");
    assert!(of_other.levels.iter().all(|level| (level.cpu_cores, level.threads) == (None, None)), "{of_other:?}");
    assert!(!names_pid(&of_own), "{of_own:?}");
    assert!(of_own.levels.iter().all(|level| level.cpu_cores.is_some()), "{of_own:?}");
}

async fn is_ready(server: SocketAddr) -> bool {
    get(&Endpoint::at(server), "/health", 0).await.is_ok_and(|(status, _)| status == 200)
}
