//! The registry of mistakes, from which the command line, `--list` and the start-up message derive.

use std::fmt;

use program::suggestion::nearest;

use crate::api::{self, Routes};
use crate::mistakes::none;
use crate::mistakes::threads::{
    BlockedExecutor, BlockingClient, OrphanedStreams, PoolExhaustion, PoolPerChunk, coordinated_omission,
    hidden_pool_users, more_threads, rollout, wrong_canary,
};
use crate::settings::Settings;
use crate::state::StartError;

/// The mistake that runs unless another is named.
pub const DEFAULT: &str = "pool-exhaustion";

/// Threads of the blocking pool unless the mistake is about their number: as in one process of the
/// original.
pub(crate) const BLOCKING_THREADS: u16 = 40;

/// Everything that can be wrong with this server, and the control. To add a mistake, write its file
/// and add its entry here: the command line, `--list`, the suggestions and the start-up message follow.
pub const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "none",
        group: Group::Control,
        symptom: "none: both health routes stay as fast as idle, however many streams are open",
        file: "src/mistakes/none.rs",
        blocking_threads: BLOCKING_THREADS,
        limits: true,
        routes: |_| Ok(none::routes()),
    },
    Mistake {
        name: DEFAULT,
        group: Group::Threads,
        symptom: "from as many streams as pool threads on, /debug/health-sync hangs; /debug/health-async stays fast",
        file: "src/mistakes/threads/pool_exhaustion.rs",
        blocking_threads: BLOCKING_THREADS,
        limits: false,
        routes: |_| Ok(api::routes(PoolExhaustion)),
    },
    Mistake {
        name: "pool-per-chunk",
        group: Group::Threads,
        symptom: "from as many streams as pool threads on, /debug/health-sync is late by up to a token gap",
        file: "src/mistakes/threads/pool_per_chunk.rs",
        blocking_threads: BLOCKING_THREADS,
        limits: false,
        routes: |_| Ok(api::routes(PoolPerChunk)),
    },
    Mistake {
        name: "blocked-executor",
        group: Group::Threads,
        symptom: "one stream for each worker stops everything for its length, /debug/health-async too",
        file: "src/mistakes/threads/blocked_executor.rs",
        blocking_threads: BLOCKING_THREADS,
        limits: false,
        routes: |_| Ok(api::routes(BlockedExecutor)),
    },
    Mistake {
        name: "blocking-client",
        group: Group::Threads,
        symptom: "a debug build panics on every call (500); a release build stops everything for the length of each",
        file: "src/mistakes/threads/blocking_client.rs",
        blocking_threads: BLOCKING_THREADS,
        limits: false,
        routes: |settings| Ok(api::routes(BlockingClient::new(settings)?)),
    },
    Mistake {
        name: "hidden-pool-users",
        group: Group::Threads,
        symptom: "with as many streams as pool threads, /debug/resolve and /debug/read-file hang although they are async",
        file: "src/mistakes/threads/hidden_pool_users.rs",
        blocking_threads: BLOCKING_THREADS,
        limits: false,
        routes: |_| Ok(hidden_pool_users::routes()),
    },
    Mistake {
        name: "more-threads",
        group: Group::Threads,
        symptom: "as pool-exhaustion, at as many streams as the larger pool has threads; each costs a thread's memory",
        file: "src/mistakes/threads/more_threads.rs",
        blocking_threads: more_threads::THREADS,
        limits: false,
        routes: |_| Ok(more_threads::routes()),
    },
    Mistake {
        name: "wrong-canary",
        group: Group::Threads,
        symptom: "from as many streams as pool threads on, /health says healthy while /debug/health-sync hangs",
        file: "src/mistakes/threads/wrong_canary.rs",
        blocking_threads: BLOCKING_THREADS,
        limits: false,
        routes: |_| Ok(wrong_canary::routes()?),
    },
    Mistake {
        name: "rollout",
        group: Group::Threads,
        symptom: "with --rollout-percent 100 all is well until the vendor fails: then /debug/health-sync hangs again",
        file: "src/mistakes/threads/rollout.rs",
        blocking_threads: BLOCKING_THREADS,
        limits: false,
        routes: |settings| Ok(rollout::routes(settings.own.rollout_percent)),
    },
    Mistake {
        name: "orphaned-streams",
        group: Group::Threads,
        symptom: "after all clients have left, the vendor is still called and still generates nearly every token",
        file: "src/mistakes/threads/orphaned_streams.rs",
        blocking_threads: BLOCKING_THREADS,
        limits: false,
        routes: |_| Ok(api::routes(OrphanedStreams)),
    },
    Mistake {
        name: "coordinated-omission",
        group: Group::Threads,
        symptom: "everything stalls for --stall-for in every --stall-every; one request after the other hardly sees it",
        file: "src/mistakes/threads/coordinated_omission.rs",
        blocking_threads: BLOCKING_THREADS,
        limits: false,
        routes: |settings| Ok(coordinated_omission::routes(&settings.own)),
    },
];

/// One entry of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Mistake {
    /// Its name everywhere: flag, file, lab, chapter.
    pub name: &'static str,
    /// The part of the workshop that it belongs to.
    pub group: Group,
    /// What to look for, in one line.
    pub symptom: &'static str,
    /// Where it is, from this crate's folder.
    pub file: &'static str,
    /// Threads in the blocking pool of each worker, unless the flag says otherwise.
    pub(crate) blocking_threads: u16,
    /// Whether it calls the vendor within the limits of fixed-server, and takes their flags.
    pub(crate) limits: bool,
    /// Makes its routes: the contract's, this mistake in them. Done once, at the start.
    pub(crate) routes: fn(&Settings) -> Result<Routes, StartError>,
}

/// A part of the workshop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Nothing is wrong.
    Control,
    /// Threads, pools and the event loop.
    Threads,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Group::Control => "control",
            Group::Threads => "threads",
        })
    }
}

/// The mistake of this name.
///
/// # Errors
/// A text for the command line: what there is, and the name that was probably meant.
pub fn find(name: &str) -> Result<&'static Mistake, String> {
    MISTAKES.iter().find(|mistake| mistake.name == name).ok_or_else(|| {
        let meant = nearest(name, MISTAKES.iter().map(|mistake| mistake.name));
        let meant = meant.map(|meant| format!("; did you mean '{meant}'?")).unwrap_or_default();
        format!("there is no such mistake{meant}\n\n{}", list())
    })
}

/// All mistakes with their symptoms, a line each.
#[must_use]
pub fn list() -> String {
    let width = MISTAKES.iter().map(|mistake| mistake.name.len()).max().unwrap_or(0);
    let line = |mistake: &Mistake| format!("{:width$}  {:8} {}\n", mistake.name, mistake.group, mistake.symptom);
    MISTAKES.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn names_are_unique_and_the_default_is_one_of_them() {
        let names: HashSet<_> = MISTAKES.iter().map(|mistake| mistake.name).collect();
        assert_eq!(names.len(), MISTAKES.len());
        assert!(find(DEFAULT).is_ok());
    }

    #[test]
    fn a_typing_error_gets_the_list_and_the_nearest_name() {
        let message = find("pool-exhaustoin").unwrap_err();
        assert!(message.contains("did you mean 'pool-exhaustion'?"), "{message}");
        assert!(!find("foo").unwrap_err().contains("did you mean"), "nothing is near");
        for mistake in MISTAKES {
            assert!(message.contains(mistake.name) && message.contains(mistake.symptom), "{message}");
        }
    }

    #[test]
    fn each_file_is_named_after_its_mistake_and_has_its_mark_once() {
        for mistake in MISTAKES {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(mistake.file);
            let code = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", mistake.file));
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap().replace('_', "-");
            assert_eq!(stem, mistake.name);

            let expected = usize::from(mistake.group != Group::Control);
            for mark in ["// ANCHOR: ", "// MISTAKE ", "// ANCHOR_END: "] {
                assert_eq!(code.matches(mark).count(), expected, "{mark:?} in {}", mistake.file);
                let named = format!("{mark}{}", mistake.name);
                assert_eq!(code.matches(&named).count(), expected, "{named:?} in {}", mistake.file);
            }
        }
    }
}
