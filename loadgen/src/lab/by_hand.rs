//! Whether a mistake can be seen by hand, on the playground.

/// What somebody sees of a mistake who only opens streams and sends health checks, as the playground does. Other mistakes
/// need other traffic, a vendor that fails, or flags of their own: those that their labs have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByHand {
    /// It shows. The sentence says what to do and what to look at.
    Shows(&'static str),
    /// It does not show. The sentence says what its lab does that the playground does not.
    NeedsItsLab(&'static str),
}

impl ByHand {
    /// Whether it shows.
    #[must_use]
    pub fn shows(self) -> bool {
        matches!(self, ByHand::Shows(_))
    }

    /// The sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            ByHand::Shows(sentence) | ByHand::NeedsItsLab(sentence) => sentence,
        }
    }
}
