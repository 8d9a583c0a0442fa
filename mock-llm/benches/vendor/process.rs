//! The mock as a separate process.

use process::{Launch, START_TIMEOUT, ServerProcess, Usage, usage_of};

use crate::client::Target;

/// The program under test, as a separate process. Killed on drop.
pub(crate) struct Vendor(ServerProcess);

impl Vendor {
    pub(crate) async fn start() -> Self {
        let launch = Launch::new(env!("CARGO_BIN_EXE_mock-llm")).on_free_port();
        Vendor(launch.start(START_TIMEOUT).await.unwrap())
    }

    pub(crate) fn target(&self) -> Target {
        Target { addr: self.0.addr(), path: "/v1/chat/completions".to_owned() }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.pid()
    }
}

/// CPU time and memory that a running process has used.
pub(crate) fn usage(pid: u32) -> Usage {
    usage_of(pid).expect("the process still runs")
}
