//! The database and its limits.

use std::time::Duration;

use clap::Args;
use gateway::values::{OrOff, retention_or_off, timeout};
use gateway::{Confidential, DatabaseUrl};
use resilience::LimitConflict;

use super::limits::Limits;
use crate::sessions::DatabaseOptions;

/// Where keys and sessions are kept, and the limits of the connections to it.
#[derive(Debug, Clone, Args)]
pub struct DatabaseSettings {
    /// The database of keys and sessions: `sqlite:FILE`, created if it is missing, or
    /// `postgres://USER:PASSWORD@HOST/NAME` if built with the feature `postgres`. Default: a database in the
    /// server's memory.
    #[arg(long, value_name = "URL", hide_env_values = true)]
    #[arg(value_parser = Confidential(DatabaseUrl::parse))]
    pub database_url: Option<DatabaseUrl>,

    /// Connections to the database at once. None is held during a call to the vendor, so a few are enough for
    /// thousands of streams.
    #[arg(long, default_value = "5", value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000), allow_hyphen_values = true)]
    pub database_pool_size: u32,

    /// How long a request may wait for a connection (503). Connections are used for milliseconds, so a longer wait
    /// means that the database is down. Default: 1s, or half of the SLA if that is less.
    #[arg(long, value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub database_acquire_timeout: Option<Duration>,

    /// Age at which a connection is replaced. The new one connects to where the database is by then.
    #[arg(long, default_value = "30m", value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub database_recycle_time: Duration,

    /// How long the results of sessions' calls are kept, and sessions after their last call: `12h`, `30days`, or
    /// `off` to keep them forever. A nearly full database in memory removes the oldest earlier.
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
        let why = "otherwise a database that is down uses up all the time of a request";
        LimitConflict::require_less(acquire, ("--sla", limits.call.sla), why)
    }

    /// How long a request may wait for a connection.
    #[must_use]
    pub fn acquire_timeout(&self, limits: &Limits) -> Duration {
        self.database_acquire_timeout.unwrap_or(Duration::from_secs(1).min(limits.call.sla / 2))
    }

    /// The options of the database.
    pub(crate) fn options(&self, limits: &Limits) -> DatabaseOptions {
        DatabaseOptions {
            url: self.database_url.clone(),
            pool_size: self.database_pool_size,
            acquire_timeout: self.acquire_timeout(limits),
            recycle_time: Some(self.database_recycle_time),
        }
    }
}
