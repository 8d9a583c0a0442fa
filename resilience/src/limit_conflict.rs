//! Two limits that contradict each other, found at startup.

use std::time::Duration;

/// Two limits of which one can never be reached because of the other. It should be found when a program starts: at run
/// time it shows only as the wrong limit ending a call.
///
/// The limits are named as the user knows them, by their flags.
///
/// ```
/// use std::time::Duration;
/// use resilience::LimitConflict;
///
/// let (queue, call) = (Duration::from_secs(40), Duration::from_secs(30));
/// let found = LimitConflict::require_less(("--queue", queue), ("--call", call), "a request should not queue longer than a call may take");
/// assert_eq!(found.unwrap_err().to_string(), "--queue (40s) must be less than --call (30s): a request should not queue longer than a call may take");
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
    /// Checks that the `inner` limit (name and value) is less than the `outer` one.
    ///
    /// # Errors
    /// [`LimitConflict`], naming both.
    pub fn require_less(
        inner: (&'static str, Duration),
        outer: (&'static str, Duration),
        why: &'static str,
    ) -> Result<(), Self> {
        Self::require(inner.1 < outer.1, named(inner), "less than", named(outer), why)
    }

    /// Checks that `attempts` of at least `each` fit `within` a limit; all three are given as name and value.
    ///
    /// # Errors
    /// [`LimitConflict`], naming all three.
    pub fn require_attempts_fit(
        attempts: (&'static str, u32),
        each: (&'static str, Duration),
        within: (&'static str, Duration),
    ) -> Result<(), Self> {
        let inner = format!("{} ({}) of {}", attempts.0, attempts.1, named(each));
        let fit = each.1.saturating_mul(attempts.1) <= within.1;
        Self::require(fit, inner, "within", named(within), "otherwise the last ones can never be made")
    }

    /// Requires `holds`, some other relation of `inner` to `outer` (each a text with name and value).
    ///
    /// # Errors
    /// [`LimitConflict`] if it does not hold.
    pub fn require(
        holds: bool,
        inner: String,
        relation: &'static str,
        outer: String,
        why: &'static str,
    ) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(LimitConflict { inner, relation, outer, why }) }
    }
}

/// A name with a duration as people type it: `90s`, not `1m 30s`.
fn named((name, time): (&'static str, Duration)) -> String {
    if time.subsec_nanos() == 0 { format!("{name} ({}s)", time.as_secs()) } else { format!("{name} ({time:?})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn equal_limits_conflict() {
        let of = |inner, outer| LimitConflict::require_less(("a", inner), ("b", outer), "why");
        assert_eq!(of(SECOND, 2 * SECOND), Ok(()));
        for outer in [SECOND, SECOND / 2] {
            let said = of(SECOND, outer).unwrap_err().to_string();
            assert!(said.starts_with("a (1s) must be less than b (") && said.ends_with("): why"), "{said}");
        }
    }

    #[test]
    fn attempts_may_take_exactly_the_limit() {
        let of =
            |attempts, each| LimitConflict::require_attempts_fit(("n", attempts), ("each", each), ("all", 3 * SECOND));
        assert_eq!(of(3, SECOND), Ok(()));
        let said = of(3, SECOND + Duration::from_millis(1)).unwrap_err().to_string();
        assert_eq!(said, "n (3) of each (1.001s) must be within all (3s): otherwise the last ones can never be made");
        assert!(of(u32::MAX, Duration::MAX).is_err());
    }
}
