//! The database and its limits.

use std::time::Duration;

use clap::Args;
use gateway::values::timeout;
use gateway::{CallLimits, Confidential, DatabaseUrl};
use resilience::LimitConflict;

/// Where keys are kept, and the limits of the connections to it.
#[derive(Debug, Clone, Args)]
pub struct DatabaseSettings {
    /// The database of keys, with the number of calls of each: `sqlite:FILE`, created if it is missing, or
    /// `postgres://USER:PASSWORD@HOST/NAME` if built with the feature `postgres`. Default: a database in the
    /// server's memory.
    #[arg(long, value_name = "URL", hide_env_values = true)]
    #[arg(value_parser = Confidential(DatabaseUrl::parse))]
    pub database_url: Option<DatabaseUrl>,

    /// Connections to the database at once. The default is that of SQLAlchemy: a pool of 5, and 10 more when they are
    /// needed.
    #[arg(long, default_value = "15", value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000), allow_hyphen_values = true)]
    pub database_pool_size: u32,

    /// How long a request may wait for a connection (503), and then for the database. Default: 5s, or half of the SLA if
    /// that is less.
    #[arg(long, value_name = "TIME")]
    #[arg(value_parser = timeout, allow_hyphen_values = true)]
    pub database_acquire_timeout: Option<Duration>,
}

impl DatabaseSettings {
    /// Checks the relation to the other limits.
    ///
    /// # Errors
    /// [`LimitConflict`], which names the two flags.
    pub(crate) fn check(&self, limits: &CallLimits) -> Result<(), LimitConflict> {
        let acquire = ("--database-acquire-timeout", self.acquire_timeout(limits));
        let why = "otherwise a database that is down uses up all the time of a request";
        LimitConflict::require_less(acquire, ("--sla", limits.sla), why)
    }

    /// How long a request may wait for a connection.
    pub(crate) fn acquire_timeout(&self, limits: &CallLimits) -> Duration {
        self.database_acquire_timeout.unwrap_or(Duration::from_secs(5).min(limits.sla / 2))
    }
}
