//! How many requests meet what is required of each.

use super::ended::Ended;
use crate::result::{RequestGoodput, RequestObjective, RequestTime};

/// Whether a completed request meets `objective`.
fn is_met(objective: &RequestObjective, ended: &Ended<'_>) -> bool {
    let took = match objective.time {
        RequestTime::FirstToken => ended.times.first().map(|first| first - ended.due),
        RequestTime::TimePerToken => ended.times.mean_gap(),
        RequestTime::EndToEnd => Some(ended.now - ended.due),
    };
    took.is_none_or(|took| objective.allows(took))
}

/// How many requests met their objectives.
#[derive(Debug, Clone, Default)]
pub(super) struct ObjectiveTally {
    objectives: Vec<RequestObjective>,
    met: u64,
    /// Completed requests that missed each.
    missed: Vec<u64>,
}

impl ObjectiveTally {
    pub(super) fn new(objectives: Vec<RequestObjective>) -> Self {
        ObjectiveTally { met: 0, missed: vec![0; objectives.len()], objectives }
    }

    /// Counts a completed request.
    pub(super) fn completed(&mut self, ended: &Ended<'_>) {
        let mut met = true;
        for (objective, missed) in self.objectives.iter().zip(&mut self.missed) {
            let meets = is_met(objective, ended);
            *missed += u64::from(!meets);
            met &= meets;
        }
        self.met += u64::from(met);
    }

    /// The figures, of this many requests, without a rate; `None` if nothing is required of a request.
    pub(super) fn goodput(&self, of: u64) -> Option<RequestGoodput> {
        let texts = self.objectives.iter().map(|objective| objective.text.clone());
        let missed = texts.zip(self.missed.iter().copied()).collect();
        (!self.objectives.is_empty()).then_some(RequestGoodput { met: self.met, of, per_second: 0.0, missed })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::measure::{StreamEnd, StreamGuard, StreamLog};

    fn objective(text: &str, time: RequestTime, seconds: u64) -> RequestObjective {
        RequestObjective { text: text.to_owned(), time, limit: Duration::from_secs(seconds), includes_limit: false }
    }

    #[test]
    fn goodput_is_what_was_completed_and_met_all_of_what_ended() {
        let log = Arc::new(StreamLog::default());
        log.require(vec![
            objective("ttft<10s", RequestTime::FirstToken, 10),
            objective("e2e<60s", RequestTime::EndToEnd, 60),
            objective("tpot<1s", RequestTime::TimePerToken, 1),
        ]);
        let now = Instant::now();
        let stream = |due_before: u64, tokens: u32, end: StreamEnd| {
            let mut stream = StreamGuard::begin(&log, now - Duration::from_secs(due_before));
            (0..tokens).for_each(|_| stream.token());
            stream.end(end);
        };
        stream(0, 2, StreamEnd::Completed);
        stream(0, 1, StreamEnd::CompletedWithoutDone);
        stream(20, 2, StreamEnd::Completed);
        stream(90, 2, StreamEnd::Completed);
        stream(0, 2, StreamEnd::Truncated);
        stream(0, 0, StreamEnd::Refused(429));
        stream(0, 2, StreamEnd::Disconnected);
        let goodput = log.stats(Duration::from_secs(2)).goodput.unwrap();
        assert_eq!((goodput.met, goodput.of, goodput.per_second), (2, 6, 1.0), "{goodput:?}");
        assert_eq!(goodput.missed.values().copied().collect::<Vec<_>>(), [1, 0, 2], "e2e, tpot, ttft: {goodput:?}");
        assert_eq!(goodput.percent().map(f64::round), Some(33.0));
        assert_eq!(StreamLog::default().stats(Duration::ZERO).goodput, None);
    }
}
