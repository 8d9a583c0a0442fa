//! What to try next, when no limit was found or none could be named.

use std::time::Duration;

use crate::diagnose::finding::Finding;
use crate::diagnose::seen::{ASYNC_HEALTH, Seen};
use crate::numbers::count;

/// A stream shorter than this ends while a number of streams is held, so that the figures mix.
const SHORT: Duration = Duration::from_secs(2);

/// How to try more, when no limit was found.
pub(super) fn after_none(seen: &Seen) -> String {
    let most = seen.levels.iter().map(|level| level.streams).max().unwrap_or_default();
    let mut next = vec![if most >= seen.streams_max {
        format!("--max-streams {} for more than {} streams", 4 * seen.streams_max, count(seen.streams_max))
    } else {
        format!("a longer --budget: it ended at {} streams, of --max-streams {}", count(most), seen.streams_max)
    }];
    next.extend(short_streams(seen));
    next.push("a --health-path that uses what requests use (a thread, the database)".to_owned());
    next.push("the address that users have, with its proxies, from a machine of yours".to_owned());
    next.push("the real vendor, or mock-llm with its limits".to_owned());
    format!("Nothing is to be changed for this number of streams. To try more: {}.", next.join("; "))
}

/// What would show more, when what was seen fits no kind.
pub(super) fn after_inconclusive(finding: &Finding, seen: &Seen) -> String {
    let worst = seen.worst();
    let rejected = |is: fn(u16) -> bool| seen.collapse.iter().any(|at| at.rejected.keys().any(|status| is(*status)));
    let mut next: Vec<String> = finding.surer_with.map(str::to_owned).into_iter().collect();
    if rejected(|status| status == 429) && !next.iter().any(|next| next.contains("--api-key")) {
        next.push(
            "another key (--api-key), or one without a limit: streams ended with 429, which may be a user's limit"
                .to_owned(),
        );
    }
    if rejected(|status| status >= 500) {
        next.push("the server's log at that time: it answered with errors of its own".to_owned());
    }
    next.extend(short_streams(seen));
    let mut once = |flag: &str, text: &str| {
        if !next.iter().any(|next| next.contains(flag)) {
            next.push(format!("{flag} {text}"));
        }
    };
    if worst.is_none_or(|worst| worst.cpu_cores.is_none()) {
        once("--pid", "PID of the server, for its threads, processor time and descriptors");
    }
    if worst.is_none_or(|worst| !worst.probes.contains_key(ASYNC_HEALTH)) {
        once("--async-health-path", "with a check that needs no thread, if there is one");
    }
    if seen.platform.is_none() {
        once("--platform", "NAME");
    }
    once("--budget", "2m, on a machine that does nothing else");
    next.push("mock-llm as its vendor, so that the vendor's own limits are out of it".to_owned());
    format!("To find out more, in this order: {}.", next.join("; "))
}

/// Streams so short that they end while they are counted.
fn short_streams(seen: &Seen) -> Option<String> {
    let idle = &seen.idle;
    let is_short = idle.ended && idle.streams() && idle.first_chunk + idle.lasted < SHORT;
    is_short.then(|| {
        "a --body whose answer is longer (ten seconds or more): these streams end within two seconds".to_owned()
    })
}
