//! Two limits of which one makes the other useless, found at the start.

use std::time::Duration;

/// Two limits of which one can never be reached because of the other, or can never be kept. To be found
/// when a program starts: while it runs, it shows only as the wrong limit ending a call.
///
/// The limits are named as their user knows them, by their flags.
///
/// ```
/// use std::time::Duration;
/// use resilience::LimitConflict;
///
/// let (queue, call) = (Duration::from_secs(40), Duration::from_secs(30));
/// let found = LimitConflict::require_less(("--queue", queue), ("--call", call), "else nobody waits for it");
/// assert_eq!(found.unwrap_err().to_string(), "--queue (40s) must be less than --call (30s): else nobody waits for it");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{inner} must be {relation} {outer}: {why}")]
pub struct LimitConflict {
    /// A limit and its value.
    inner: String,
    relation: &'static str,
    /// Another limit and its value.
    outer: String,
    why: &'static str,
}

impl LimitConflict {
    /// Checks that the `inner` limit, a name and its value, can be reached before the `outer` one.
    ///
    /// # Errors
    /// [`LimitConflict`], which names both.
    pub fn require_less(
        inner: (&'static str, Duration),
        outer: (&'static str, Duration),
        why: &'static str,
    ) -> Result<(), Self> {
        Self::require(inner.1 < outer.1, named(inner), "less than", named(outer), why)
    }

    /// Checks that so many `attempts`, each with the time that it takes at the least, fit `within` a limit.
    /// Each is given with its name.
    ///
    /// # Errors
    /// [`LimitConflict`], which names all three.
    pub fn require_attempts_fit(
        attempts: (&'static str, u32),
        each: (&'static str, Duration),
        within: (&'static str, Duration),
    ) -> Result<(), Self> {
        let inner = format!("{} ({}) of {}", attempts.0, attempts.1, named(each));
        let fit = each.1.saturating_mul(attempts.1) <= within.1;
        Self::require(fit, inner, "within", named(within), "else the last ones can never be made")
    }

    /// Checks any other relation of `inner` to `outer`, each a name and its value.
    ///
    /// # Errors
    /// [`LimitConflict`], where it is not `good`.
    pub fn require(
        good: bool,
        inner: String,
        relation: &'static str,
        outer: String,
        why: &'static str,
    ) -> Result<(), Self> {
        if good { Ok(()) } else { Err(LimitConflict { inner, relation, outer, why }) }
    }
}

/// A duration as people type it: `90s`, not `1m 30s`.
fn named((name, time): (&'static str, Duration)) -> String {
    if time.subsec_nanos() == 0 { format!("{name} ({}s)", time.as_secs()) } else { format!("{name} ({time:?})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_less_is_less() {
        let of = |inner, outer| LimitConflict::require_less(("a", inner), ("b", outer), "why");
        assert_eq!(of(SECOND, 2 * SECOND), Ok(()));
        for outer in [SECOND, SECOND / 2] {
            let said = of(SECOND, outer).unwrap_err().to_string();
            assert!(said.starts_with("a (1s) must be less than b (") && said.ends_with("): why"), "{said}");
        }
    }

    #[test]
    fn attempts_fit_that_just_fit() {
        let of =
            |attempts, each| LimitConflict::require_attempts_fit(("n", attempts), ("each", each), ("all", 3 * SECOND));
        assert_eq!(of(3, SECOND), Ok(()));
        let said = of(3, SECOND + Duration::from_millis(1)).unwrap_err().to_string();
        assert_eq!(said, "n (3) of each (1.001s) must be within all (3s): else the last ones can never be made");
        assert!(of(u32::MAX, Duration::MAX).is_err());
    }
}
