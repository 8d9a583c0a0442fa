//! A stream that has ended.

use std::time::Instant;

use super::StreamEnd;
use super::token_times::TokenTimes;

/// How a stream ended, for its tally.
#[derive(Debug)]
pub(super) struct Ended<'a> {
    pub(super) end: StreamEnd,
    /// When.
    pub(super) now: Instant,
    /// When it was due.
    pub(super) due: Instant,
    pub(super) times: &'a TokenTimes,
    pub(super) stopped_reading: bool,
    /// The format of its tokens, if there were any.
    pub(super) format: Option<&'static str>,
    /// The hash of its text, if that is kept.
    pub(super) text: Option<u64>,
}
