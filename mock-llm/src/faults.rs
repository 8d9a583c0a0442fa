//! Faults on demand, as rules of a small language.

mod language;
mod parse;
mod rules;

pub use language::{Ending, Fault, Replacement, Rule};
pub use parse::FaultError;
pub(crate) use rules::{RequestFaults, Rules};
