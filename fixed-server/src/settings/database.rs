//! The database and its limits.

use std::time::Duration;

use clap::Args;
use gateway::values::{OrOff, retention_or_off, timeout};
use resilience::LimitConflict;

use super::confidential::Confidential;
use super::limits::Limits;
use crate::sessions::{DatabaseOptions, DatabaseUrl};

/// Where keys and sessions are kept, and the limits of the connections to it.
#[derive(Debug, Clone, Args)]
pub struct DatabaseSettings {
    /// The database of keys and sessions: `sqlite:FILE`, made if it is not there, or
    /// `postgres://USER:PASSWORD@HOST/NAME` where that is built in (feature `postgres`). Without it,
    /// the server has one in memory that ends with it.
    #[arg(long, value_name = "URL", hide_env_values = true)]
    #[arg(value_parser = Confidential(DatabaseUrl::parse))]
    pub database_url: Option<DatabaseUrl>,

    /// Connections to the database at once. None is held while the vendor is asked, so that a few
    /// carry thousands of streams.
    #[arg(long, default_value = "5", value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000), allow_hyphen_values = true)]
    pub database_pool_size: u32,

    /// How long a request may wait for a connection (503). Each is taken for milliseconds: who waits
    /// for longer than a second waits for a database that is down. Of itself a second, or half of the SLA
    /// where that is less.
    #[arg(long, value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub database_acquire_timeout: Option<Duration>,

    /// How old a connection may get: the next one is a new one, and finds a database that has moved.
    #[arg(long, default_value = "30m", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub database_recycle_time: Duration,

    /// How long the results of sessions' calls are kept, and a session after its last call: `12h`,
    /// `30days`, or `off` to keep them for ever. Of the database in memory, the oldest go sooner when it
    /// is nearly full.
    #[arg(long, default_value = "7days", value_name = "TIME")]
    #[arg(value_parser = retention_or_off, allow_hyphen_values = true)]
    pub session_retention: OrOff<Duration>,
}

impl DatabaseSettings {
    /// Checks the relation to the other limits.
    ///
    /// # Errors
    /// [`LimitConflict`], which names the two flags.
    pub fn check(&self, limits: &Limits) -> Result<(), LimitConflict> {
        let acquire = ("--database-acquire-timeout", self.acquire_timeout(limits));
        let why = "else a database that is down takes all the time that a request has";
        LimitConflict::require_less(acquire, ("--sla", limits.call.sla), why)
    }

    /// How long a request may wait for a connection.
    #[must_use]
    pub fn acquire_timeout(&self, limits: &Limits) -> Duration {
        self.database_acquire_timeout.unwrap_or(Duration::from_secs(1).min(limits.call.sla / 2))
    }

    /// The database as the sessions take it.
    pub(crate) fn options(&self, limits: &Limits) -> DatabaseOptions {
        DatabaseOptions {
            url: self.database_url.clone(),
            pool_size: self.database_pool_size,
            acquire_timeout: self.acquire_timeout(limits),
            recycle_time: Some(self.database_recycle_time),
        }
    }
}
