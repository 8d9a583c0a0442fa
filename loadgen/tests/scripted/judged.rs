//! Runs of loadgen, repeated while other tests keep the machine too busy for it to judge.

use std::time::Duration;

use process::Launch;
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// Longer than any run on a busy machine; only a failing test reaches it.
const RUN_TIMEOUT: Duration = Duration::from_secs(300);
const RUNS_MAX: u64 = 5;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Runs the generator with these arguments and returns its exit code and output.
pub(crate) async fn loadgen(args: &[&str]) -> (i32, String) {
    let (code, said, _) = loadgen_counted(args).await;
    (code, said)
}

/// The same, and the number of runs.
pub(crate) async fn loadgen_counted(args: &[&str]) -> (i32, String, u64) {
    // Few runs at a time, since latencies are judged; most of a run is waiting.
    static RUNS: Semaphore = Semaphore::const_new(5);
    let _permit = RUNS.acquire().await.unwrap();
    judged(&Launch::new(env!("CARGO_BIN_EXE_loadgen")).args(args.iter().copied())).await
}

/// Runs a command in which the generator judges, without blocking the server, which is in this process. One that is
/// invalid because other tests keep the machine busy is repeated; the last value is the number of runs.
pub(crate) async fn judged(launch: &Launch) -> (i32, String, u64) {
    for runs in 1..=RUNS_MAX {
        let output = launch.clone().output(RUN_TIMEOUT).await.unwrap();
        let said = format!("{}{}", output.stdout, output.stderr);
        if !said.contains("the generator itself lagged") {
            return (output.status.code().unwrap(), said, runs);
        }
        // The next one finds an idle server only when this has noticed that the streams of the last are closed.
        sleep(AGAIN_AFTER).await;
    }
    panic!("the machine is too busy for {launch:?}");
}
