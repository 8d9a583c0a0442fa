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
    /// It has been read: the time to its first chunk, and from one to the next.
    Looked(Duration, Duration),
    /// This many streams are opened and held.
    Holding(u64),
    /// Something is wrong with this many, and it is watched for this long.
    Watching(u64, Duration),
    /// A number of streams was held.
    Level(&'a DiagnosisLevel),
    /// The streams are closed, and the server should recover.
    Recovering,
}
