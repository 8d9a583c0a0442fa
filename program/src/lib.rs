//! What the programs of this workspace share as processes, whatever they serve.
//!
//! `mock-llm`, `broken-server` and `fixed-server` write their logs alike and end alike when the process
//! that started them is gone. Nothing here knows HTTP.

/// A log that never blocks, in which one event is always one line.
pub mod logs;
/// The end of a child with its parent.
pub mod parent;
