use broken_server::settings::Settings;
use broken_server::{bind, run};
use clap::Parser;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Client;

/// The mistakes, and the control.
pub(crate) const ALL_MISTAKES: [&str; 4] = ["none", "pool-exhaustion", "pool-per-chunk", "blocked-executor"];

/// A server on a free port. Dropped, it stops.
pub(crate) struct TestServer {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl TestServer {
    /// Starts a server with this mistake and these further flags.
    pub(crate) fn start(mistake: &str, upstream: &str, flags: &[&str]) -> Self {
        let own = ["broken-server", "--mistake", mistake, "--upstream", upstream, "--allow-mock-headers"];
        let settings = Settings::try_parse_from(own.iter().chain(flags)).unwrap();
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            let shutdown = async {
                // A sender that was dropped without a word is a test that has ended.
                let _ = stopped.await;
            };
            run(listener, &settings, shutdown).await.unwrap();
        });
        TestServer { url, stop: Some(stop), running }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url)
    }

    /// Asks the server to stop, and goes on.
    pub(crate) fn begin_stop(&mut self) {
        self.stop.take().expect("stopped twice").send(()).expect("the server has stopped already");
    }

    /// Waits for a server that was asked to stop.
    pub(crate) async fn stopped(self) {
        self.running.await.expect("the server panicked");
    }
}
