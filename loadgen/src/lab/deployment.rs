//! How the server of an arm runs: alone, under a supervisor, or as replicas behind a balancer.

use process::Rules;

use super::flags::flags;

/// How the server of an arm runs.
#[derive(Debug, Clone, Default)]
pub enum Deployment {
    /// One process.
    #[default]
    Single,
    /// One process that is probed, and restarted on the same port when it fails its probes or ends.
    Supervised(Supervision),
    /// Several processes with the same flags and the same vendor, behind a balancer that gets all requests.
    Replicas {
        /// Processes, at least one.
        count: u32,
        /// Flags of `loadgen balancer`, besides `--listen` and `--backend`.
        balancer: Vec<String>,
    },
}

/// What a supervisor probes, and what it does then.
#[derive(Debug, Clone)]
pub struct Supervision {
    /// The path of the liveness probe: `/live`.
    pub path: String,
    /// When the program is stopped and restarted.
    pub rules: Rules,
}

impl Deployment {
    /// Under a supervisor that probes this path.
    #[must_use]
    pub fn supervised(path: &str, rules: Rules) -> Self {
        Deployment::Supervised(Supervision { path: path.to_owned(), rules })
    }

    /// So many replicas behind a balancer with these flags, separated by white space.
    #[must_use]
    pub fn replicas(count: u32, balancer: &str) -> Self {
        Deployment::Replicas { count, balancer: flags(balancer) }
    }
}
