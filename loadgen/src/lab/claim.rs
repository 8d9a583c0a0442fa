//! Claims and preconditions.

use super::Figure;
use crate::result::{ClaimKind, RunResult};

/// A claim of a lab, or a precondition of its claims.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// In a few words.
    pub name: &'static str,
    /// Claim or kind of precondition.
    pub kind: ClaimKind,
    /// The figure.
    pub figure: Figure,
    /// How it is compared.
    pub comparison: Comparison,
    /// The value that it is compared with.
    pub threshold: f64,
    /// Condition under which it applies.
    pub when: Option<Condition>,
    /// Whether it is the same for every lab.
    pub general: bool,
    /// Whether it is about something that only fixed-server has, so that it does not apply to a repair.
    pub of_fixed_server: bool,
}

impl Claim {
    /// At least `threshold`.
    #[must_use]
    pub const fn at_least(threshold: f64, name: &'static str, figure: Figure) -> Self {
        Self::new(Comparison::AtLeast, threshold, name, figure)
    }

    /// At most `threshold`.
    #[must_use]
    pub const fn at_most(threshold: f64, name: &'static str, figure: Figure) -> Self {
        Self::new(Comparison::AtMost, threshold, name, figure)
    }

    /// Exactly `count`.
    #[must_use]
    pub const fn exactly(count: f64, name: &'static str, figure: Figure) -> Self {
        Self::new(Comparison::Exactly, count, name, figure)
    }

    /// `over` is at least `factor` times `under`.
    #[must_use]
    pub const fn apart(factor: f64, name: &'static str, over: &'static Figure, under: &'static Figure) -> Self {
        Self::at_least(factor, name, Figure::Ratio(over, under))
    }

    const fn new(comparison: Comparison, threshold: f64, name: &'static str, figure: Figure) -> Self {
        Claim {
            name,
            kind: ClaimKind::Effect,
            figure,
            comparison,
            threshold,
            when: None,
            general: false,
            of_fixed_server: false,
        }
    }

    /// As a precondition: proof of the pressure.
    #[must_use]
    pub const fn pressure(self) -> Self {
        Claim { kind: ClaimKind::Pressure, ..self }
    }

    /// As a precondition: proof that the control is clean.
    #[must_use]
    pub const fn control(self) -> Self {
        Claim { kind: ClaimKind::Control, ..self }
    }

    /// As a precondition: rules out another cause than the mistake. It may also hold without the mistake.
    #[must_use]
    pub const fn condition(self) -> Self {
        Claim { kind: ClaimKind::Condition, ..self }
    }

    /// As one that is the same for every lab.
    #[must_use]
    pub(crate) const fn general(self) -> Self {
        Claim { general: true, ..self }
    }

    /// As one that is about something that only fixed-server has.
    #[must_use]
    pub const fn of_fixed_server(self) -> Self {
        Claim { of_fixed_server: true, ..self }
    }

    /// As one that applies only under `condition`.
    #[must_use]
    pub const fn when(self, condition: Condition) -> Self {
        Claim { when: Some(condition), ..self }
    }
}

/// Decides whether a claim applies, for example depending on how a program was built.
#[derive(Debug, Clone, Copy)]
pub struct Condition {
    /// The figure.
    pub figure: Figure,
    /// How it is compared.
    pub comparison: Comparison,
    /// The value that it is compared with.
    pub threshold: f64,
}

impl Condition {
    /// Whether it is met; `None` if nothing was measured.
    #[must_use]
    pub fn holds(&self, result: &RunResult) -> Option<bool> {
        Some(self.comparison.holds(self.figure.of(result)?, self.threshold))
    }
}

/// How a figure is compared with its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// At least.
    AtLeast,
    /// At most.
    AtMost,
    /// Exactly, for counts.
    Exactly,
}

impl Comparison {
    /// The sign in output and JSON.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::AtLeast => ">=",
            Comparison::AtMost => "<=",
            Comparison::Exactly => "==",
        }
    }

    /// Whether it is true for `measured`.
    #[must_use]
    pub fn holds(self, measured: f64, threshold: f64) -> bool {
        match self {
            Comparison::AtLeast => measured >= threshold,
            Comparison::AtMost => measured <= threshold,
            Comparison::Exactly => (measured - threshold).abs() < f64::EPSILON,
        }
    }
}
