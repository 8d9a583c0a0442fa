//! The mock vendor inside another program, usually a test.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use wire::byte_size::ByteSize;
use wire::ledger::Ledger;

use crate::faults::FaultError;
use crate::latency::Distribution;
use crate::profile::Profile;
use crate::quota::Quota;
use crate::server;
use crate::settings::{Settings, SettingsError};
use crate::vendor::Vendor;

/// A vendor on its own port. Dropping it stops it: the listener and all connections are closed.
#[derive(Debug)]
pub struct MockLlm {
    addr: SocketAddr,
    vendor: Arc<Vendor>,
    server: JoinHandle<()>,
}

/// Builds a [`MockLlm`]. Settings that are not given have the defaults of the command line.
#[derive(Debug, Clone, Default)]
#[must_use = "nothing runs until `start` is called"]
pub struct MockLlmBuilder {
    settings: Settings,
    /// The first fault rule that is not valid.
    bad_fault: Option<FaultError>,
}

/// Why a vendor did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting has a value that is not allowed.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A fault rule is not valid.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// No port could be bound.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(#[from] io::Error),
}

impl MockLlm {
    /// A builder with the default settings.
    pub fn builder() -> MockLlmBuilder {
        MockLlmBuilder::default()
    }

    /// `http://127.0.0.1:PORT`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it has counted so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.vendor.ledger()
    }

    /// Resets the ledger, as `POST /debug/reset` does.
    pub fn reset(&self) {
        self.vendor.reset();
    }

    /// Replaces the fault rules, as `POST /debug/faults` does.
    ///
    /// # Errors
    /// The first rule that is not valid; the previous rules then stay in force.
    pub fn set_faults(&self, rules: &[&str]) -> Result<(), FaultError> {
        self.vendor.faults.replace(rules.iter().map(|rule| rule.parse()).collect::<Result<_, _>>()?);
        Ok(())
    }

    /// Stops it. Returns when the port and all connections are closed.
    pub async fn stop(mut self) {
        self.server.abort();
        // The error is that the task was aborted.
        let _ = (&mut self.server).await;
    }
}

impl Drop for MockLlm {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl MockLlmBuilder {
    /// Uses the settings of a preset, in place of all settings given before.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.settings = profile.settings();
        self
    }

    /// Uses these settings, in place of all settings given before.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Tokens per answer.
    pub fn tokens(mut self, tokens: u32) -> Self {
        self.settings.tokens = tokens;
        self
    }

    /// Time to the first token.
    pub fn ttft(mut self, delay: Duration) -> Self {
        self.settings.ttft.mean = delay;
        self
    }

    /// Distribution of the time to the first token.
    pub fn ttft_distribution(mut self, distribution: Distribution) -> Self {
        self.settings.ttft.distribution = distribution;
        self
    }

    /// Time that each prompt token adds to the time to the first token.
    pub fn prefill_per_token(mut self, delay: Duration) -> Self {
        self.settings.prefill_per_token = delay;
        self
    }

    /// Time between two tokens.
    pub fn inter_token(mut self, delay: Duration) -> Self {
        self.settings.inter_token.mean = delay;
        self
    }

    /// Distribution of the time between two tokens.
    pub fn inter_token_distribution(mut self, distribution: Distribution) -> Self {
        self.settings.inter_token.distribution = distribution;
        self
    }

    /// Varies both delays by up to this fraction, 0 to 1.
    pub fn jitter(mut self, fraction: f64) -> Self {
        self.settings.ttft.jitter = fraction;
        self.settings.inter_token.jitter = fraction;
        self
    }

    /// Size to which each chunk with a token is padded.
    pub fn chunk_bytes(mut self, bytes: usize) -> Self {
        self.settings.chunk_bytes = Some(ByteSize(bytes));
        self
    }

    /// Ends a chunk of a stream inside each character of several bytes.
    pub fn split_characters(mut self) -> Self {
        self.settings.split_characters = true;
        self
    }

    /// Answers generated at the same time; further requests wait.
    pub fn slots(mut self, slots: u32) -> Self {
        self.settings.slots = Some(slots);
        self
    }

    /// Factor by which delays grow when all slots are in use.
    pub fn slowdown(mut self, factor: f64) -> Self {
        self.settings.slowdown = factor;
        self
    }

    /// Requests allowed in any interval of this length.
    pub fn quota_requests(mut self, limit: u64, interval: Duration) -> Self {
        self.settings.quotas.requests = Some(Quota { limit, interval });
        self
    }

    /// Tokens allowed in any interval of this length.
    pub fn quota_tokens(mut self, limit: u64, interval: Duration) -> Self {
        self.settings.quotas.tokens = Some(Quota { limit, interval });
        self
    }

    /// Requests allowed at the same time.
    pub fn quota_in_flight(mut self, limit: u32) -> Self {
        self.settings.quotas.in_flight = Some(limit);
        self
    }

    /// Adds a fault rule. [`start`](Self::start) returns an error if it is not valid.
    pub fn fault(mut self, rule: &str) -> Self {
        match rule.parse() {
            Ok(rule) => self.settings.faults.push(rule),
            Err(error) => self.bad_fault = self.bad_fault.or(Some(error)),
        }
        self
    }

    /// The listed models; requests for other models get 404.
    pub fn only_models<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.settings.models = names.into_iter().map(str::to_owned).collect();
        self.settings.strict_models = true;
        self
    }

    /// Key required under `/v1`.
    pub fn api_key(mut self, key: &str) -> Self {
        self.settings.api_key = Some(key.to_owned());
        self
    }

    /// Largest body of a completion request, in bytes.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_body_bytes = ByteSize(bytes);
        self
    }

    /// Seed of all random choices.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Starts the vendor on a free port of 127.0.0.1, on the current tokio runtime. When it returns, connections are
    /// accepted.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(self) -> Result<MockLlm, StartError> {
        if let Some(error) = self.bad_fault {
            return Err(error.into());
        }
        self.settings.check()?;
        let listener = server::bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let addr = listener.local_addr()?;
        let vendor = Vendor::new(self.settings);
        let server = tokio::spawn(server::serve(listener, Arc::clone(&vendor), Box::pin(std::future::pending())));
        Ok(MockLlm { addr, vendor, server })
    }
}
