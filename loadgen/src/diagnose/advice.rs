//! From what limits a server to what a person should do.

use super::finding::{Advice, Finding};
use super::seen::Seen;

/// What to do about what was found.
pub(super) fn advise(_finding: &Finding, _seen: &Seen) -> Advice {
    Advice::default()
}
