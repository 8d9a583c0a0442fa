//! The entry of a mistake in the registry. Each mistake has its entry in its own file.

use std::fmt;
use std::time::Duration;

use gateway::{KeyHash, ModelQuota, Users};
use resilience::AdmissionLimits;

use crate::api::{self, Routes};
use crate::call_style::AsyncOnce;
use crate::settings::{BLOCKING_THREADS, Settings};
use crate::shutdown::{Shutdown, drain};
use crate::state::StartError;

/// One way in which this server can be wrong, or the control.
#[derive(Debug, Clone, Copy)]
pub struct Mistake {
    /// Its name everywhere: flag, file, lab, chapter.
    pub name: &'static str,
    /// Its part of the workshop.
    pub group: Group,
    /// What to look for, on one line.
    pub symptom: &'static str,
    /// Threads in the blocking pool of each worker, unless `--blocking-threads` is given.
    pub(crate) blocking_threads: u16,
    /// How long it keeps a connection without a request, unless `--keep-alive-timeout` is given; `None`: as the control.
    pub(crate) keep_alive_timeout: Option<Duration>,
    /// Whether it has the limits of fixed-server, and their flags.
    pub(crate) limits: bool,
    /// The ids in clap of the flags for this mistake only.
    pub(crate) own_flags: &'static [&'static str],
    /// What may be in flight and in the queue, and how many calls may start.
    pub(crate) admission: fn(&Settings) -> AdmissionLimits,
    /// The rates of models that have one of their own.
    pub(crate) model_rates: fn(&Settings) -> Vec<ModelQuota>,
    /// The limits of each user.
    pub(crate) users: fn(&Settings) -> Option<Users<KeyHash>>,
    /// Makes the routes with this mistake. Called once, at the start.
    pub(crate) routes: fn(&Settings) -> Result<Routes, StartError>,
    /// Stops the server.
    pub(crate) shutdown: Shutdown,
    /// How long a worker process may be silent before its watchdog kills it, where there is a watchdog.
    pub(crate) worker_timeout: fn(&Settings) -> Result<Option<Duration>, String>,
}

impl Mistake {
    /// What most mistakes have in common, for the rest of an entry: no flags of their own, no flags of limits, the
    /// source's pool, the right queue and shutdown, and a watchdog only where the flag says so.
    pub(crate) const USUAL: Mistake = Mistake {
        name: "",
        group: Group::Control,
        symptom: "",
        blocking_threads: BLOCKING_THREADS,
        keep_alive_timeout: None,
        limits: false,
        own_flags: &[],
        admission: |Settings { limits, quota, .. }| AdmissionLimits {
            max_in_flight: limits.max_in_flight,
            max_queued: limits.max_queued,
            timeout: limits.queue_timeout,
            requests: quota.kept(),
            tokens: None,
        },
        model_rates: |settings| settings.quota.kept_of_models(),
        users: |settings| Users::new(&settings.users),
        routes: |_| Ok(api::routes(AsyncOnce)),
        shutdown: |server, settings| Box::pin(drain(server, settings)),
        worker_timeout: |settings| Ok(settings.worker_timeout.and_then(|timeout| timeout.0)),
    };

    /// Its file, relative to this crate: it follows from its group and its name.
    #[must_use]
    pub fn file(&self) -> String {
        let stem = self.name.replace('-', "_");
        match self.group {
            Group::Control => format!("src/mistakes/{stem}.rs"),
            group => format!("src/mistakes/{group}/{stem}.rs"),
        }
    }
}

/// A part of the workshop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Group {
    /// Nothing is wrong.
    Control,
    /// Threads, pools and the event loop.
    Threads,
    /// Calls to the vendor: queues, limits, retries, timeouts, streams.
    Calls,
    /// Operation: health checks, restarts, shutdown, databases, balancers.
    Operations,
}

impl Group {
    /// All groups, in the order of the workshop.
    pub const ALL: [Group; 4] = [Group::Control, Group::Threads, Group::Calls, Group::Operations];

    /// The name in output, and that of the folder of its mistakes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Group::Control => "control",
            Group::Threads => "threads",
            Group::Calls => "calls",
            Group::Operations => "operations",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
