//! What the programs of this workspace share as programs, whatever they do: how they log, how they end with
//! the process that started them, and what they say to a misspelt name. Nothing here knows HTTP.

/// The environment variables that stand for flags.
pub mod environment;
/// A log that never blocks, in which one event is always one line.
pub mod logs;
/// The end of a child with its parent.
pub mod parent;
/// What a misspelt name was meant to be.
pub mod suggestion;
