//! A setting whose value is not allowed.

use std::fmt;

/// A setting whose value is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {found}, expected {expected}")]
pub struct InvalidSetting {
    /// The setting's name.
    pub setting: &'static str,
    /// The value that was given.
    pub found: String,
    /// What is allowed.
    pub expected: &'static str,
}

impl InvalidSetting {
    /// An error unless `allowed`.
    pub(crate) fn require(
        allowed: bool,
        setting: &'static str,
        found: impl fmt::Debug,
        expected: &'static str,
    ) -> Result<(), Self> {
        if allowed { Ok(()) } else { Err(InvalidSetting { setting, found: format!("{found:?}"), expected }) }
    }
}
