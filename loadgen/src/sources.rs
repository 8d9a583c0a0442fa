//! The code of the mistakes and their fixes, as it was when this program was built.

use serde::Serialize;

use crate::lab::Lab;
use crate::marks::{FIX, MISTAKE, anchor_around, anchored_lines};

/// A file, and the lines in it that a lab is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MarkedSource {
    /// Its path from the repository's root.
    pub file: String,
    /// All of it.
    pub text: &'static str,
    /// The first line of the part that the chapters show, counted from 1.
    pub from: usize,
    /// The last line of that part.
    pub to: usize,
}

/// The code of a lab's mistake, if it is built in.
#[must_use]
pub fn mistake_of(lab: &Lab) -> Option<MarkedSource> {
    marked_source(lab.mistake_file(), MISTAKE, lab.name)
}

/// The code of its fix.
#[must_use]
pub fn fix_of(lab: &Lab) -> Option<MarkedSource> {
    marked_source(lab.fix_file.to_owned(), FIX, lab.name)
}

fn marked_source(file: String, mark: &str, name: &str) -> Option<MarkedSource> {
    let (_, text) = *SOURCES.iter().find(|(path, _)| *path == file)?;
    let lines = anchored_lines(text, anchor_around(text, mark, name)?)?;
    Some(MarkedSource { file, text, from: *lines.start(), to: *lines.end() })
}

macro_rules! sources {
    ($($path:literal,)*) => {
        &[$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../", $path)))),*]
    };
}

/// For each lab, the file of its mistake and that of its fix.
static SOURCES: &[(&str, &str)] = sources![
    "broken-server/src/mistakes/calls/buffered_stream.rs",
    "broken-server/src/mistakes/calls/bursty_limiter.rs",
    "broken-server/src/mistakes/calls/client_pool.rs",
    "broken-server/src/mistakes/calls/lost_cleanup.rs",
    "broken-server/src/mistakes/calls/nested_permits.rs",
    "broken-server/src/mistakes/calls/limiter_inside_permit.rs",
    "broken-server/src/mistakes/calls/no_client_timeout.rs",
    "broken-server/src/mistakes/calls/no_deadline.rs",
    "broken-server/src/mistakes/calls/noisy_neighbour.rs",
    "broken-server/src/mistakes/calls/one_error_for_all.rs",
    "broken-server/src/mistakes/calls/per_request_limits.rs",
    "broken-server/src/mistakes/calls/queue_timeout_covers_call.rs",
    "broken-server/src/mistakes/calls/raw_sse.rs",
    "broken-server/src/mistakes/calls/retry_storm.rs",
    "broken-server/src/mistakes/calls/sleep_with_permit.rs",
    "broken-server/src/mistakes/calls/silent_stream.rs",
    "broken-server/src/mistakes/calls/slow_reader.rs",
    "broken-server/src/mistakes/calls/stacked_retries.rs",
    "broken-server/src/mistakes/calls/total_timeout_on_stream.rs",
    "broken-server/src/mistakes/calls/unbounded_queue.rs",
    "broken-server/src/mistakes/operations/client_per_request.rs",
    "broken-server/src/mistakes/operations/db_held_during_call.rs",
    "broken-server/src/mistakes/operations/keepalive_race.rs",
    "broken-server/src/mistakes/operations/liveness_cascade.rs",
    "broken-server/src/mistakes/operations/rapid_sequence.rs",
    "broken-server/src/mistakes/operations/readiness_cascade.rs",
    "broken-server/src/mistakes/operations/undrained_shutdown.rs",
    "broken-server/src/mistakes/operations/worker_watchdog.rs",
    "broken-server/src/mistakes/threads/blocked_executor.rs",
    "broken-server/src/mistakes/threads/blocking_client.rs",
    "broken-server/src/mistakes/threads/coordinated_omission.rs",
    "broken-server/src/mistakes/threads/cpu_on_the_loop.rs",
    "broken-server/src/mistakes/threads/hidden_pool_users.rs",
    "broken-server/src/mistakes/threads/more_threads.rs",
    "broken-server/src/mistakes/threads/orphaned_streams.rs",
    "broken-server/src/mistakes/threads/pool_exhaustion.rs",
    "broken-server/src/mistakes/threads/pool_per_chunk.rs",
    "broken-server/src/mistakes/threads/rollout.rs",
    "broken-server/src/mistakes/threads/wrong_canary.rs",
    "fixed-server/src/api/answer.rs",
    "fixed-server/src/api/health.rs",
    "fixed-server/src/api/live.rs",
    "fixed-server/src/api/look_ups.rs",
    "fixed-server/src/api/ready.rs",
    "fixed-server/src/app.rs",
    "fixed-server/src/body.rs",
    "fixed-server/src/body/early.rs",
    "fixed-server/src/body/format.rs",
    "fixed-server/src/chat.rs",
    "fixed-server/src/net/accept.rs",
    "fixed-server/src/observe.rs",
    "fixed-server/src/outcome.rs",
    "fixed-server/src/request.rs",
    "fixed-server/src/sessions/database.rs",
    "fixed-server/src/stack.rs",
    "fixed-server/src/stack/retry.rs",
    "fixed-server/src/state.rs",
    "fixed-server/src/upstream.rs",
    "fixed-server/src/upstream/client.rs",
    "fixed-server/src/upstream/events.rs",
    "fixed-server/src/upstream/response.rs",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs;

    #[test]
    fn the_code_of_every_lab_is_built_in_with_its_marks() {
        for lab in labs::all() {
            let files = [(lab.mistake_file(), MISTAKE), (lab.fix_file.to_owned(), FIX)];
            for ((file, mark), source) in files.into_iter().zip([mistake_of(lab), fix_of(lab)]) {
                let source = source.unwrap_or_else(|| {
                    panic!("{}: write, in the list of loadgen/src/sources.rs:\n    \"{file}\",", lab.name)
                });
                let shown: Vec<_> =
                    source.text.lines().skip(source.from - 1).take(source.to + 1 - source.from).collect();
                assert!(crate::marks::marked(&shown.join("\n"), mark).contains(&lab.name), "{file}: {shown:#?}");
                assert!(!shown.iter().any(|line| line.contains(&format!("ANCHOR_END: {}", lab.name))), "{file}");
            }
        }
    }

    #[test]
    fn nothing_else_is_built_in() {
        for (path, _) in SOURCES {
            let wanted = labs::all().iter().any(|lab| lab.mistake_file() == *path || lab.fix_file == *path);
            assert!(wanted, "remove {path} from the list");
        }
    }
}
