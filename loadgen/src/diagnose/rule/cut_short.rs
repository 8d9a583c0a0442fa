//! The ramp ended before it could show anything.

use crate::diagnose::finding::Finding;
use crate::diagnose::seen::{CutShort, Seen};
use crate::numbers::{count, counted};

/// What became of the ramp, if something else than its time cut it short.
pub(super) fn find(seen: &Seen) -> Option<Finding> {
    seen.cut_short.filter(|cut_short| *cut_short != CutShort::TimeOver).map(|cut_short| of(seen, cut_short))
}

/// What became of it, if its time did.
pub(super) fn by_time(seen: &Seen) -> Option<Finding> {
    seen.cut_short.map(|cut_short| of(seen, cut_short))
}

fn of(seen: &Seen, cut_short: CutShort) -> Finding {
    let most = seen.levels.last().map_or(0, |level| level.streams);
    let streams = counted(most, "stream", "streams");
    let (evidence, surer_with) = match cut_short {
        CutShort::ServerGone => (
            format!(
                "with {streams}, connections were refused, and the one that had been open since before the ramp \
                 was lost: the server has ended or was restarted"
            ),
            "the server's log; then the same again, with a server that stays up",
        ),
        CutShort::ServerGoneBehindProxy => (
            format!(
                "with {streams}, the proxy answered 502 to checks that the server had answered: it has ended, or \
                 refuses connections"
            ),
            "the server's log; then the same against its own port, without the proxy",
        ),
        CutShort::OwnLimit => (
            format!("with {streams}, this machine had no descriptor or port left to send with"),
            "a smaller --max-streams, or a higher `ulimit -n`",
        ),
        CutShort::RequestsUsedUp => (
            format!("with {streams}, so many of them had ended or were rejected that no more were asked for"),
            "a request that is answered with a longer stream, or more --max-streams, which allows more requests",
        ),
        CutShort::TimeOver => (
            format!(
                "the time was over after {} of {} streams; more were not tried, or not watched for long enough",
                count(most),
                count(seen.streams_max)
            ),
            "a longer --budget, or a smaller --max-streams",
        ),
    };
    let mut finding = Finding::inconclusive();
    finding.evidence.push(evidence);
    finding.surer_with = Some(surer_with);
    finding
}
