//! One open stream, or one unanswered call.

use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::ended::Ended;
use super::token_times::TokenTimes;
use super::{StreamEnd, StreamListener, StreamLog, StreamNews};

/// One open stream, or one unanswered call. Dropped without [`StreamGuard::end`], it counts as still open at the end.
#[derive(Debug)]
pub struct StreamGuard {
    log: Arc<StreamLog>,
    due: Instant,
    times: TokenTimes,
    /// Gaps not yet in the shared histogram, which is locked once for several tokens.
    gaps: Vec<Duration>,
    status: Option<u16>,
    /// Tokens of the prompt and of the answer, by the usage in it.
    usage: Option<u64>,
    stopped_reading: bool,
    /// The format in which its tokens came, by its name.
    format: Option<&'static str>,
    text: Option<DefaultHasher>,
    listener: Option<StreamListener>,
    explanation: Option<String>,
    end: StreamEnd,
}

impl StreamGuard {
    const GAPS_HELD: usize = 16;

    /// A stream that is sent now and was due at `due`, counted in `log`.
    #[must_use]
    pub fn begin(log: &Arc<StreamLog>, due: Instant) -> Self {
        log.begin_one();
        StreamGuard {
            log: log.clone(),
            due,
            times: TokenTimes::sent(Instant::now()),
            gaps: Vec::with_capacity(Self::GAPS_HELD),
            status: None,
            usage: None,
            stopped_reading: false,
            format: None,
            text: None,
            listener: None,
            explanation: None,
            end: StreamEnd::StillOpen,
        }
    }

    /// Keeps a hash of its text.
    pub fn keep_text(&mut self) {
        self.text = Some(DefaultHasher::new());
    }

    /// Tells `listener` what is new of it.
    pub fn tell(&mut self, listener: StreamListener) {
        self.listener = Some(listener);
    }

    /// Whether its text is used; otherwise there is no need to read it.
    #[must_use]
    pub fn uses_text(&self) -> bool {
        self.text.is_some() || self.listener.is_some()
    }

    /// Counts the head of the answer.
    pub fn answered(&mut self, status: u16, method: Option<&str>) {
        self.status = Some(status);
        self.listener.iter().for_each(|listener| listener.hear(StreamNews::Answered(status)));
        self.log.update(|tally| tally.answered(status, method));
    }

    /// Counts a `Retry-After`.
    pub fn retry_after(&self, after: Duration) {
        self.log.update(|tally| tally.retry_after.record(after));
    }

    /// Counts the type and the code of an error.
    pub fn error(&self, kind: Option<&str>, code: Option<&str>) {
        self.log.update(|tally| tally.error(kind, code));
    }

    /// Whether an example of an answer for this end is still missing: one per cause is kept.
    #[must_use]
    pub fn wants_answer(&self, ended: StreamEnd) -> bool {
        let tally = self.log.tally.lock().unwrap_or_else(PoisonError::into_inner);
        ended.failure().is_some_and(|cause| !tally.failure_answers.contains_key(&cause))
    }

    /// Keeps `answer` as the example for this end.
    pub fn keep_answer(&self, ended: StreamEnd, answer: &str) {
        let Some(cause) = ended.failure() else { return };
        self.log.update(|tally| {
            tally.failure_answers.entry(cause.clone()).or_insert_with(|| answer.to_owned());
        });
    }

    /// Counts bytes of the body.
    pub fn bytes(&self, bytes: usize) {
        self.log.add_bytes(bytes as u64);
    }

    /// Whether there was a token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.times.has_token()
    }

    /// Counts a token of a stream that arrived now.
    pub fn token(&mut self) {
        self.chunk(1);
    }

    /// Counts the first piece of a whole answer, which arrived now.
    pub fn piece(&mut self) {
        self.chunk(0);
    }

    /// Counts a chunk with this many tokens that arrived now.
    fn chunk(&mut self, tokens: u64) {
        let now = Instant::now();
        self.log.add_chunk(tokens);
        match self.times.token(now) {
            Some(before) => self.gaps.push(now - before),
            None => self.log.update(|tally| {
                tally.first_token_from_due.record(now - self.due);
                tally.first_token_from_sent.record(now - self.times.requested());
            }),
        }
        if self.gaps.len() == Self::GAPS_HELD {
            self.record_gaps();
        }
    }

    /// Records the format in which its tokens come, unless it is known.
    pub fn format(&mut self, name: &'static str) {
        self.format.get_or_insert(name);
    }

    /// Adds the text of a token.
    pub fn text(&mut self, text: &str) {
        self.listener.iter().for_each(|listener| listener.hear(StreamNews::Token(text)));
        self.text.iter_mut().for_each(|hasher| hasher.write(text.as_bytes()));
    }

    /// Counts the tokens generated for a whole answer.
    pub fn generated(&self, tokens: u64) {
        self.log.add_tokens(tokens);
    }

    /// Records the tokens of the prompt and of the answer.
    pub fn usage(&mut self, tokens: u64) {
        self.usage = Some(tokens);
    }

    /// Says why it failed, in the server's words where it has some.
    pub fn explain(&mut self, why: String) {
        self.explanation = Some(why);
    }

    /// Records that the client reads nothing more.
    pub fn stops_reading(&mut self) {
        self.stopped_reading = true;
    }

    /// Whether the client has stopped to read.
    #[must_use]
    pub fn has_stopped_reading(&self) -> bool {
        self.stopped_reading
    }

    /// Counts the stream's end, and returns what its answer was.
    pub fn end(mut self, end: StreamEnd) -> StreamAnswer {
        self.end = end;
        let (took, explanation) = (self.times.requested().elapsed(), self.explanation.take());
        StreamAnswer { end, status: self.status, took, tokens: self.usage, explanation }
    }

    fn record_gaps(&mut self) {
        self.log.update(|tally| self.gaps.iter().for_each(|gap| tally.inter_token.record(*gap)));
        self.gaps.clear();
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        self.record_gaps();
        self.log.end_one();
        let ended = Ended {
            end: self.end,
            now: Instant::now(),
            due: self.due,
            times: &self.times,
            stopped_reading: self.stopped_reading,
            format: self.format,
            text: self.text.as_ref().map(DefaultHasher::finish),
        };
        self.log.update(|tally| tally.count(&ended));
    }
}

/// What the answer to a request was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamAnswer {
    /// How it ended.
    pub end: StreamEnd,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// From when the request was sent to the end of the answer.
    pub took: Duration,
    /// Tokens of the prompt and of the answer, if the answer has them.
    pub tokens: Option<u64>,
    /// Why it failed, in the server's words where it has some.
    pub explanation: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_is_counted_once() {
        let log = Arc::new(StreamLog::default());
        let now = Instant::now();
        let mut whole = StreamGuard::begin(&log, now);
        (0..40).for_each(|_| whole.token());
        let dropped = StreamGuard::begin(&log, now);
        let refused = StreamGuard::begin(&log, now);
        assert_eq!(log.active(), 3);
        whole.end(StreamEnd::Completed);
        refused.end(StreamEnd::Refused(429));
        drop(dropped);
        let stats = log.stats(Duration::from_secs(2));
        assert_eq!((stats.requested, stats.completed, stats.failed, stats.disconnected), (3, 1, 1, 1));
        assert_eq!(stats.requested, stats.completed + stats.failed + stats.truncated + stats.disconnected);
        assert_eq!((stats.chunks, stats.chunks_per_second, stats.without_token), (40, 20.0, 2));
        assert_eq!((stats.peak_active, log.active()), (3, 0));
    }

    #[test]
    fn a_part_counts_in_its_total_too() {
        let whole = Arc::new(StreamLog::default());
        let parts = [(); 2].map(|()| Arc::new(StreamLog::part_of(whole.clone())));
        let mut first = StreamGuard::begin(&parts[0], Instant::now());
        let mut second = StreamGuard::begin(&parts[1], Instant::now());
        first.answered(200, Some("async"));
        first.token();
        second.answered(502, None);
        assert_eq!((whole.active(), parts[0].active()), (2, 1));
        first.end(StreamEnd::Completed);
        second.end(StreamEnd::Refused(502));
        let (all, one) = (whole.stats(Duration::from_secs(1)), parts[0].stats(Duration::from_secs(1)));
        assert_eq!((all.requested, all.peak_active, all.completed, all.failed, all.chunks), (2, 2, 1, 1, 1));
        assert_eq!((one.requested, one.peak_active, one.completed, one.failed, one.chunks), (1, 1, 1, 0, 1));
        assert_eq!((all.by_status.len(), all.by_method.get("async"), one.by_status.len()), (2, Some(&1), 1));
    }

    #[test]
    fn values_that_a_server_chooses_are_bounded() {
        let log = Arc::new(StreamLog::default());
        for number in 0..100 {
            let stream = StreamGuard::begin(&log, Instant::now());
            stream.error(Some(&format!("type-{number}")), None);
            stream.end(StreamEnd::Refused(500));
        }
        let stats = log.stats(Duration::from_secs(1));
        assert_eq!((stats.errors_by_type.len(), stats.errors_by_type.get("others")), (17, Some(&84)));
        assert!(stats.errors_by_code.is_empty());
    }

    #[test]
    fn goodput_is_that_of_a_window() {
        let log = Arc::new(StreamLog::default());
        let start = Instant::now();
        let ended = || {
            let mut stream = StreamGuard::begin(&log, start);
            stream.token();
            stream.end(StreamEnd::Completed);
            Instant::now()
        };
        let after_two = (ended(), ended()).1;
        ended();
        let elapsed = (after_two - start).as_secs_f64().max(0.001);
        assert_eq!(log.completed_per_second(start, after_two), 2.0 / elapsed);
        assert_eq!(
            log.completed_per_second(after_two + Duration::from_secs(1), after_two + Duration::from_secs(2)),
            0.0
        );
        // A run without an end forgets when they ended, and not that they did.
        log.forget(Instant::now());
        assert_eq!((log.completed_per_second(start, Instant::now()), log.stats(start.elapsed()).completed), (0.0, 3));
    }
}
