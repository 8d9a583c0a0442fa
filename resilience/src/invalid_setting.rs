//! A setting that is not what it may be.

use std::fmt;

/// A setting that is not what it may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {found}, expected {expected}")]
pub struct InvalidSetting {
    /// The field's name.
    pub setting: &'static str,
    /// The value that was given.
    pub found: String,
    /// What is allowed.
    pub expected: &'static str,
}

impl InvalidSetting {
    /// `Ok` when `allowed`, otherwise the error that says what would be.
    pub(crate) fn require(
        allowed: bool,
        setting: &'static str,
        found: impl fmt::Debug,
        expected: &'static str,
    ) -> Result<(), Self> {
        if allowed { Ok(()) } else { Err(InvalidSetting { setting, found: format!("{found:?}"), expected }) }
    }
}
