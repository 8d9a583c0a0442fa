//! Starts broken-server in this process, with any mistake.

use broken_server::cli::Cli;
use broken_server::{bind, run};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Client;

/// One mistake for each way of calling the vendor; the others use one of these. A debug build of
/// `blocking-client` makes no call.
pub(crate) const CALL_STYLES: &[&str] = &[
    "none --attempts 1",
    "pool-exhaustion",
    "pool-per-chunk",
    "blocked-executor",
    "rollout --rollout-percent 100",
    "orphaned-streams",
    #[cfg(not(debug_assertions))]
    "blocking-client",
];

/// A server on a free port. Dropping it stops the server.
pub(crate) struct TestServer {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl TestServer {
    /// Starts a server with this mistake and these flags. The mistake's name may be followed by flags too.
    pub(crate) fn start(mistake: &str, upstream: &str, flags: &[&str]) -> Self {
        let own = ["broken-server", "--upstream", upstream, "--allow-mock-headers", "--mistake"];
        let args = own.into_iter().chain(mistake.split(' ')).chain(flags.iter().copied());
        let cli = Cli::read(args).unwrap();
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let shutdown = async {
                // The sender is dropped at the end of a test.
                let _ = stopped.await;
            };
            run(listener, &cli, None, Box::pin(shutdown)).await.unwrap();
        });
        TestServer { url, stop: Some(stop), running }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url)
    }

    /// Asks the server to stop, without waiting for it.
    pub(crate) fn begin_stop(&mut self) {
        self.stop.take().expect("stopped twice").send(()).expect("the server has stopped already");
    }

    /// Waits for a server that was asked to stop.
    pub(crate) async fn stopped(self) {
        self.running.await.expect("the server panicked");
    }
}
