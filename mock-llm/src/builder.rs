//! The mock vendor inside another program, mostly a test.

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
    /// The first rule that could not be read.
    bad_fault: Option<FaultError>,
}

/// Why a vendor did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is not what it may be.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A rule is not in the fault language.
    #[error(transparent)]
    Fault(#[from] FaultError),
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
        self.vendor.ledger()
    }

    /// Forgets what it saw, as `POST /debug/reset` does.
    pub fn reset(&self) {
        self.vendor.reset();
    }

    /// Puts these rules in force and no others, as `POST /debug/faults` does.
    ///
    /// # Errors
    /// The first rule that is not in the fault language; those in force stay so.
    pub fn set_faults(&self, rules: &[&str]) -> Result<(), FaultError> {
        self.vendor.faults.replace(rules.iter().map(|rule| rule.parse()).collect::<Result<_, _>>()?);
        Ok(())
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
    /// Starts from the settings of a vendor by name. What was said before is forgotten.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.settings = profile.settings();
        self
    }

    /// Starts from these settings. What was said before is forgotten.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

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

    /// How the time to the first token is distributed.
    pub fn ttft_distribution(mut self, distribution: Distribution) -> Self {
        self.settings.ttft.distribution = distribution;
        self
    }

    /// What each token of the prompt adds to the time to the first token.
    pub fn prefill_per_token(mut self, delay: Duration) -> Self {
        self.settings.prefill_per_token = delay;
        self
    }

    /// Time from one token to the next.
    pub fn inter_token(mut self, delay: Duration) -> Self {
        self.settings.inter_token.mean = delay;
        self
    }

    /// How the time from one token to the next is distributed.
    pub fn inter_token_distribution(mut self, distribution: Distribution) -> Self {
        self.settings.inter_token.distribution = distribution;
        self
    }

    /// Lets both delays be off by up to this fraction, 0 to 1.
    pub fn jitter(mut self, fraction: f64) -> Self {
        self.settings.ttft.jitter = fraction;
        self.settings.inter_token.jitter = fraction;
        self
    }

    /// Answers made at once; further requests wait.
    pub fn slots(mut self, slots: u32) -> Self {
        self.settings.slots = Some(slots);
        self
    }

    /// How many times as long delays are when all slots are busy.
    pub fn slowdown(mut self, factor: f64) -> Self {
        self.settings.slowdown = factor;
        self
    }

    /// Most requests in any such interval.
    pub fn quota_requests(mut self, limit: u64, interval: Duration) -> Self {
        self.settings.quotas.requests = Some(Quota { limit, interval });
        self
    }

    /// Most tokens in any such interval.
    pub fn quota_tokens(mut self, limit: u64, interval: Duration) -> Self {
        self.settings.quotas.tokens = Some(Quota { limit, interval });
        self
    }

    /// Most requests at once.
    pub fn quota_in_flight(mut self, limit: u32) -> Self {
        self.settings.quotas.in_flight = Some(limit);
        self
    }

    /// Adds a rule of the fault language. One that cannot be read is told by [`start`](Self::start).
    pub fn fault(mut self, rule: &str) -> Self {
        match rule.parse() {
            Ok(rule) => self.settings.faults.push(rule),
            Err(error) => self.bad_fault = self.bad_fault.or(Some(error)),
        }
        self
    }

    /// The models that are listed, and the only ones that are answered.
    pub fn only_models<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.settings.models = names.into_iter().map(str::to_owned).collect();
        self.settings.strict_models = true;
        self
    }

    /// The key that requests under `/v1` must have.
    pub fn api_key(mut self, key: &str) -> Self {
        self.settings.api_key = Some(key.to_owned());
        self
    }

    /// Largest body of a request for a completion, in bytes.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_body_bytes = ByteSize(bytes);
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
