//! Compares runs of the same command figure by figure. The first run is the reference.

mod compared;
mod diagnosed;
mod figures;
mod regression;

pub use compared::{ComparedArm, ComparedFigure, Comparison, Difference, NamedRun, NotComparable};
pub use figures::{Figure, chunks};
pub use regression::{Regression, RegressionVerdict};

#[cfg(test)]
mod tests;
