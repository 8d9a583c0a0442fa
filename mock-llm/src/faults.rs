//! What goes wrong on demand: the fault language.

mod language;
mod parse;
mod rules;

pub use language::{Ending, Fault, Instead, Rule};
pub use parse::FaultError;
pub(crate) use rules::{Chosen, Rules};
