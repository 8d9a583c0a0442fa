//! Claims and preconditions.

use super::Figure;
use crate::result::{ClaimKind, RunResult};

/// A claim of a lab, or a precondition of its claims.
#[derive(Debug, Clone)]
pub struct Claim {
    /// In a few words.
    pub name: String,
    /// Claim or kind of precondition.
    pub kind: ClaimKind,
    /// The figure.
    pub figure: Figure,
    /// How it is compared.
    pub comparison: Comparison,
    /// The value that it is compared with.
    pub threshold: f64,
    /// What must be so for it to apply, for example how a program was built.
    pub applies_if: Option<AppliesIf>,
    /// Whether it is the same for every lab.
    pub general: bool,
    /// Whether it is about something that only fixed-server has, so that it does not apply to a repair.
    pub of_fixed_server: bool,
}

impl Claim {
    /// At least `threshold`.
    #[must_use]
    pub fn at_least(threshold: impl Into<f64>, name: impl Into<String>, figure: Figure) -> Self {
        Self::new(Comparison::AtLeast, threshold.into(), name.into(), figure)
    }

    /// At most `threshold`.
    #[must_use]
    pub fn at_most(threshold: impl Into<f64>, name: impl Into<String>, figure: Figure) -> Self {
        Self::new(Comparison::AtMost, threshold.into(), name.into(), figure)
    }

    /// Exactly `count`.
    #[must_use]
    pub fn exactly(count: impl Into<f64>, name: impl Into<String>, figure: Figure) -> Self {
        Self::new(Comparison::Exactly, count.into(), name.into(), figure)
    }

    /// `over` is at least `factor` times `under`.
    #[must_use]
    pub fn apart(factor: f64, name: impl Into<String>, over: Figure, under: Figure) -> Self {
        Self::at_least(factor, name, over.over(under))
    }

    fn new(comparison: Comparison, threshold: f64, name: String, figure: Figure) -> Self {
        let kind = ClaimKind::Effect;
        Claim { name, kind, figure, comparison, threshold, applies_if: None, general: false, of_fixed_server: false }
    }

    /// As a precondition: proof of the pressure.
    #[must_use]
    pub fn pressure(self) -> Self {
        Claim { kind: ClaimKind::Pressure, ..self }
    }

    /// As a precondition: proof that the control is clean.
    #[must_use]
    pub fn control(self) -> Self {
        Claim { kind: ClaimKind::Control, ..self }
    }

    /// As a precondition: rules out another cause than the mistake. It may also hold without the mistake.
    #[must_use]
    pub fn condition(self) -> Self {
        Claim { kind: ClaimKind::Condition, ..self }
    }

    /// As one that is the same for every lab.
    #[must_use]
    pub(crate) fn general(self) -> Self {
        Claim { general: true, ..self }
    }

    /// As one that is about something that only fixed-server has.
    #[must_use]
    pub fn of_fixed_server(self) -> Self {
        Claim { of_fixed_server: true, ..self }
    }

    /// As one that applies only if this is so.
    #[must_use]
    pub fn applies_if(self, what: AppliesIf) -> Self {
        Claim { applies_if: Some(what), ..self }
    }
}

/// Decides whether a claim applies.
#[derive(Debug, Clone)]
pub struct AppliesIf {
    /// The figure.
    pub figure: Figure,
    /// How it is compared.
    pub comparison: Comparison,
    /// The value that it is compared with.
    pub threshold: f64,
}

impl AppliesIf {
    /// Whether it is so; `None` if nothing was measured.
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
