//! The arms of a session.

use std::fmt;

use serde::Serialize;

use crate::result::Side;

/// An arm of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionArm {
    /// broken-server with the mistake that is chosen.
    Broken,
    /// fixed-server.
    Fixed,
}

impl SessionArm {
    /// Both, in the order of output.
    pub const ALL: [SessionArm; 2] = [SessionArm::Broken, SessionArm::Fixed];

    /// The arm of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arm| arm.as_str() == name)
    }

    /// Its name in output and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.side().as_str()
    }

    /// Its side of the comparison.
    #[must_use]
    pub fn side(self) -> Side {
        match self {
            SessionArm::Broken => Side::Broken,
            SessionArm::Fixed => Side::Fixed,
        }
    }

    /// Its place among the arms.
    pub(super) fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for SessionArm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
