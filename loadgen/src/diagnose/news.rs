//! What a diagnosis does, while it does it.

use std::time::Duration;

use crate::result::DiagnosisLevel;

/// What a diagnosis does, while it does it.
#[derive(Debug, Clone, PartialEq)]
pub enum DiagnoseNews<'a> {
    /// The idle server is probed, for this long.
    Idle(Duration),
    /// One stream of the idle server is read.
    Looking,
    /// It has been read.
    Looked {
        /// The time to its first chunk.
        first_chunk: Duration,
        /// The mean time from one chunk to the next.
        gap: Duration,
    },
    /// This many streams are opened and held.
    Holding(u64),
    /// Something is wrong with this many, and it is watched for this long.
    Watching(u64, Duration),
    /// A number of streams was held.
    Level(&'a DiagnosisLevel),
    /// The streams are closed, and the server should recover.
    Recovering,
}
