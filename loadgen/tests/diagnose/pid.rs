//! The process of `--pid`: what it uses is evidence only if it has the connections.

use std::time::Duration;

use loadgen::diagnose::DiagnoseOptions;
use loadgen::result::Diagnosis;
use process::Launch;

use super::{CHECK, GOOD, diagnosed, options};
use crate::scripted::serve;

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_not_the_servers_is_named_and_left_out() {
    let (server, _) = serve(GOOD, CHECK).await;
    let other = Launch::new("sleep").args(["60"]).spawn().unwrap();
    let with_pid = |pid| {
        let options = DiagnoseOptions { pid: Some(pid), budget: Duration::from_secs(25), ..options(server) };
        async move { diagnosed(&options, |_| {}).await.unwrap() }
    };
    // This process has the server, and the generator too.
    let (of_other, of_own) = tokio::join!(with_pid(other.pid()), with_pid(std::process::id()));
    let names_pid = |found: &Diagnosis| found.evidence.iter().any(|sentence| sentence.contains("--pid"));
    assert!(names_pid(&of_other), "{of_other:?}");
    assert!(of_other.levels.iter().all(|level| (level.cpu_cores, level.threads) == (None, None)), "{of_other:?}");
    assert!(!names_pid(&of_own), "{of_own:?}");
    assert!(of_own.levels.iter().all(|level| level.cpu_cores.is_some()), "{of_own:?}");
}
