//! What one read of the vendor's stream completed.

use bytes::Bytes;
use wire::stream::CompletionEvent;

/// What one read of the vendor's stream completed. It was received together and is sent together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Its events, read.
    pub(crate) events: Vec<CompletionEvent>,
    /// Its bytes, unchanged, with everything that belongs to no event: comments, blank lines, ids. It
    /// begins and ends between two events.
    pub(crate) raw: Bytes,
}
