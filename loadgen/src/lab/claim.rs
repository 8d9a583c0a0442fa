//! What is claimed.

use super::Figure;
use crate::result::{ClaimKind, RunResult};

/// What a lab claims, or what must be so for its claims to mean anything.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// In words.
    pub name: &'static str,
    /// What happens when it is not so.
    pub kind: ClaimKind,
    /// The figure.
    pub figure: Figure,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub threshold: f64,
    /// What must be so for the claim to be made at all.
    pub when: Option<Condition>,
    /// Whether it is required of every lab alike, and not a claim of this one.
    pub general: bool,
    /// Whether it speaks of what only fixed-server has, so that no mended broken-server is asked for it.
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

    /// The same as proof of the pressure: without it the run is invalid.
    #[must_use]
    pub const fn pressure(self) -> Self {
        Claim { kind: ClaimKind::Pressure, ..self }
    }

    /// The same as proof that the control is clean: without it the run is invalid.
    #[must_use]
    pub const fn control(self) -> Self {
        Claim { kind: ClaimKind::Control, ..self }
    }

    /// The same as what rules out another cause than the mistake: without it the run is invalid. It may
    /// hold without the mistake, so it is no claim.
    #[must_use]
    pub const fn condition(self) -> Self {
        Claim { kind: ClaimKind::Condition, ..self }
    }

    /// The same as one that is required of every lab alike.
    #[must_use]
    pub(crate) const fn general(self) -> Self {
        Claim { general: true, ..self }
    }

    /// The same, of what only fixed-server has.
    #[must_use]
    pub const fn of_fixed_server(self) -> Self {
        Claim { of_fixed_server: true, ..self }
    }

    /// The same, made only when `condition` is so.
    #[must_use]
    pub const fn when(self, condition: Condition) -> Self {
        Claim { when: Some(condition), ..self }
    }
}

/// Something that decides which claims are made: how a program was built, for example.
#[derive(Debug, Clone, Copy)]
pub struct Condition {
    /// The figure.
    pub figure: Figure,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub threshold: f64,
}

impl Condition {
    /// Whether it is so; none where nothing was measured.
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
    /// Exactly: for counts.
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

    /// Whether it is true of `measured`.
    #[must_use]
    pub fn holds(self, measured: f64, threshold: f64) -> bool {
        match self {
            Comparison::AtLeast => measured >= threshold,
            Comparison::AtMost => measured <= threshold,
            Comparison::Exactly => (measured - threshold).abs() < f64::EPSILON,
        }
    }
}
