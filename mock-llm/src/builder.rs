use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use wire::ledger::Ledger;

use crate::server;
use crate::settings::{Settings, SettingsError};
use crate::vendor::Vendor;

/// A vendor on a port of its own, for as long as this value lives: dropped means stopped, the
/// listener closed and all connections cut.
#[derive(Debug)]
pub struct MockLlm {
    addr: SocketAddr,
    vendor: Arc<Vendor>,
    server: JoinHandle<()>,
}

/// Says what a [`MockLlm`] is to be like. What is not said is as on the command line.
#[derive(Debug, Clone, Default)]
#[must_use = "nothing runs before `start`"]
pub struct MockLlmBuilder {
    settings: Settings,
}

/// Why a vendor did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is not what it may be.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No port could be opened.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(#[from] io::Error),
}

impl MockLlm {
    /// Begins to describe a vendor.
    pub fn builder() -> MockLlmBuilder {
        MockLlmBuilder::default()
    }

    /// `http://127.0.0.1:PORT`, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it saw so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.vendor.recorder.snapshot()
    }

    /// Forgets what it saw, as `POST /debug/reset` does.
    pub fn reset(&self) {
        self.vendor.reset();
    }

    /// Stops, and returns when the port is closed and no connection is left.
    pub async fn stop(mut self) {
        self.server.abort();
        // The error says that it was aborted.
        let _ = (&mut self.server).await;
    }
}

impl Drop for MockLlm {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl MockLlmBuilder {
    /// Tokens of an answer.
    pub fn tokens(mut self, tokens: u32) -> Self {
        self.settings.tokens = tokens;
        self
    }

    /// Time to the first token.
    pub fn ttft(mut self, delay: Duration) -> Self {
        self.settings.ttft.mean = delay;
        self
    }

    /// Time from one token to the next.
    pub fn inter_token(mut self, delay: Duration) -> Self {
        self.settings.inter_token.mean = delay;
        self
    }

    /// Lets both delays be off by up to this fraction, 0 to 1.
    pub fn jitter(mut self, fraction: f64) -> Self {
        self.settings.ttft.jitter = fraction;
        self.settings.inter_token.jitter = fraction;
        self
    }

    /// Where random choices come from.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Starts the vendor on a free port of 127.0.0.1, on the runtime this is called on. Connections
    /// are accepted from here on.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(self) -> Result<MockLlm, StartError> {
        self.settings.check()?;
        let listener = server::bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let addr = listener.local_addr()?;
        let vendor = Vendor::new(self.settings);
        let server = tokio::spawn(server::serve(listener, Arc::clone(&vendor), std::future::pending()));
        Ok(MockLlm { addr, vendor, server })
    }
}
