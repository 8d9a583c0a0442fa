//! Figures of requests: streams, and calls with a whole answer.

use std::collections::BTreeMap;

use super::{Figure, Place, Source};
use crate::result::{ArmResult, PhaseResult, Quantile, RunResult, StreamStats, Unit};

/// A figure of requests: of those of the phase, or of one of its loads alone ([`Place::load`]).
#[derive(Debug, Clone, Copy)]
pub enum RequestFigure {
    /// Requests that were due.
    Requested,
    /// Completed streams, and calls answered 2xx.
    Completed,
    /// The same per second, while the phase was measured.
    CompletedPerSecond,
    /// Completed ones, in percent of those that were due.
    CompletedShare,
    /// Truncated streams that their clients took for complete.
    TakenAsComplete,
    /// Failed, truncated or stalled.
    Lost,
    /// Tokens received; of a whole answer, those generated for it by the usage in it.
    Tokens,
    /// Ended after a 200, neither complete nor with an error event.
    Truncated,
    /// Failed for this cause.
    Failure(&'static str),
    /// Closed by the client.
    Disconnected,
    /// Answered with this HTTP status.
    Status(u16),
    /// Answered with this `X-Stream-Method`.
    Method(&'static str),
    /// Failed with an error of this `type` in its JSON.
    ErrorType(&'static str),
    /// Answered with a valid `Retry-After`, in percent of those answered with this HTTP status.
    WithRetryAfter(u16),
    /// From when a request was due to the end of its answer, of the completed ones.
    Latency(Quantile),
    /// The same of those with another status than 2xx.
    RejectionLatency(Quantile),
    /// From when a request was due to its first token.
    FirstToken(Quantile),
    /// From one token of a stream to the next.
    TokenGap(Quantile),
    /// Completed with the text that most of the same requests have in this arm.
    TextsAsIn(&'static str),
    /// Completed with the text that most whole answers have in the same arm and phase.
    TextsAsWhole,
}

use RequestFigure as What;

impl RequestFigure {
    fn is_latency(self) -> bool {
        matches!(self, What::Latency(_) | What::RejectionLatency(_) | What::FirstToken(_) | What::TokenGap(_))
    }

    /// The count that it is; `None` for one that cannot be added up.
    fn count(self, stats: &StreamStats) -> Option<u64> {
        let counted = |by: &BTreeMap<String, u64>, key: &str| by.get(key).copied().unwrap_or(0);
        Some(match self {
            What::Requested => stats.requested,
            What::Completed => stats.completed,
            What::TakenAsComplete => stats.taken_as_complete,
            What::Lost => stats.lost(),
            What::Tokens => stats.tokens,
            What::Truncated => stats.truncated,
            What::Failure(cause) => counted(&stats.failures, cause),
            What::Disconnected => stats.disconnected,
            What::Status(status) => counted(&stats.by_status, &status.to_string()),
            What::Method(method) => counted(&stats.by_method, method),
            What::ErrorType(kind) => counted(&stats.errors_by_type, kind),
            _ => return None,
        })
    }

    /// Its value where requests are counted together; `None` for a latency that no request has.
    fn of_stats(self, stats: &StreamStats, reference: Option<&StreamStats>) -> Option<f64> {
        let rejected = || stats.by_status.keys().any(|status| !status.starts_with('2'));
        let of_status = |status| What::Status(status).count(stats).filter(|answers| *answers > 0);
        match self {
            What::WithRetryAfter(status) => Some(100.0 * stats.with_retry_after as f64 / of_status(status)? as f64),
            What::CompletedShare => {
                (stats.requested > 0).then(|| 100.0 * stats.completed as f64 / stats.requested as f64)
            }
            What::CompletedPerSecond => Some(stats.completed_per_second),
            What::Latency(quantile) => (stats.completed > 0).then(|| stats.latency_ms.at(quantile)),
            What::RejectionLatency(quantile) => rejected().then(|| stats.rejection_latency_ms.at(quantile)),
            What::FirstToken(quantile) => (stats.chunks > 0).then(|| stats.time_to_first_token_ms.at(quantile)),
            // A stream of one token has no gap.
            What::TokenGap(quantile) => (stats.chunks > stats.requested).then(|| stats.inter_token_ms.at(quantile)),
            What::TextsAsIn(_) | What::TextsAsWhole => reference.map(|whole| stats.texts_as_in(whole) as f64),
            _ => self.count(stats).map(|count| count as f64),
        }
    }
}

/// A figure of requests with answers of one kind.
#[derive(Debug, Clone, Copy)]
struct Requests {
    kind: Kind,
    what: RequestFigure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Streams,
    Calls,
}

impl Kind {
    fn in_phase(self, phase: &PhaseResult) -> Option<&StreamStats> {
        if self == Kind::Streams { phase.streams.as_ref() } else { phase.calls.as_ref() }
    }

    fn in_run(self, arm: &ArmResult) -> Option<&StreamStats> {
        if self == Kind::Streams { Some(&arm.streams) } else { arm.calls.as_ref() }
    }

    /// Those of a place.
    fn at<'a>(self, place: &Place, result: &'a RunResult) -> Option<&'a StreamStats> {
        match (place.phase_in(result), &place.load) {
            (Some(phase), Some(load)) => phase.loads.get(load),
            (Some(phase), None) => self.in_phase(phase),
            (None, _) if place.phase.is_none() => self.in_run(place.arm_in(result)?),
            (None, _) => None,
        }
    }
}

impl Source for Requests {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        let Requests { kind, what } = *self;
        if place.phase.is_none() && what.count(&StreamStats::default()).is_some() {
            // Of all phases, those of this arm alone included.
            let phases = place.arm_in(result)?.phases.iter().filter_map(|phase| kind.in_phase(phase));
            return Some(phases.filter_map(|stats| what.count(stats)).sum::<u64>() as f64);
        }
        let stats = kind.at(place, result)?;
        let reference = match what {
            What::TextsAsIn(arm) => kind.at(&Place { arm: arm.to_owned(), ..place.clone() }, result),
            What::TextsAsWhole => Kind::Calls.at(&Place { load: None, ..place.clone() }, result),
            _ => None,
        };
        what.of_stats(stats, reference)
    }

    /// If no request was answered so there is no latency, which is a finding.
    fn was_tried(&self, place: &Place, result: &RunResult) -> bool {
        self.of(place, result).is_some() || self.kind.at(place, result).is_some_and(|stats| stats.requested > 0)
    }

    fn is_latency(&self) -> bool {
        self.what.is_latency()
    }

    fn unit(&self) -> Unit {
        match (self.what, self.kind) {
            (what, _) if what.is_latency() => Unit::Milliseconds,
            (What::CompletedShare | What::WithRetryAfter(_), _) => Unit::Percent,
            (What::Tokens, _) => Unit::TOKENS,
            (What::CompletedPerSecond, Kind::Streams) => Unit::count("streams/s"),
            (What::CompletedPerSecond, Kind::Calls) => Unit::count("calls/s"),
            (_, Kind::Streams) => Unit::STREAMS,
            (_, Kind::Calls) => Unit::CALLS,
        }
    }
}

impl Place {
    /// A figure of the streams that the phase opened; of all streams for the whole run.
    #[must_use]
    pub fn streams(self, what: RequestFigure) -> Figure {
        Figure::new(self, Requests { kind: Kind::Streams, what })
    }

    /// A figure of the calls with a whole answer.
    #[must_use]
    pub fn calls(self, what: RequestFigure) -> Figure {
        Figure::new(self, Requests { kind: Kind::Calls, what })
    }
}
