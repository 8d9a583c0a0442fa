//! Suggestions for misspelt names.

use strsim::damerau_levenshtein;

/// Shortest part of a name that is suggested as a match: shorter ones occur in too many names.
const PART_CHARS_MIN: usize = 4;

/// The name in `names` that was probably meant: equal except for case and hyphens, containing `typed`, or with at
/// most a third of its characters different. `None` if no name is similar.
#[must_use]
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase().replace(['_', ' '], "-");
    let rank = |name: &&str| {
        let is_part = typed.chars().count() >= PART_CHARS_MIN && name.contains(&typed);
        if is_part { 0 } else { damerau_levenshtein(&typed, name) }
    };
    let nearest = names.into_iter().min_by_key(rank)?;
    let changed = rank(&nearest);
    (changed * 3 <= nearest.chars().count().min(typed.chars().count())).then_some(nearest)
}

/// The [nearest] name as a question for the end of a message: `; did you mean 'pool-exhaustion'?`. `None` if no name is
/// similar.
#[must_use]
pub fn did_you_mean<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(typed, names).map(|meant| format!("; did you mean '{meant}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["none", "pool-exhaustion", "pool-per-chunk", "rollout", "more-threads"];

    #[test]
    fn only_similar_names_are_suggested() {
        for (typed, expected) in [
            ("pool-exhaustoin", Some("pool-exhaustion")),
            ("Pool_Exhaustion", Some("pool-exhaustion")),
            ("pool exhaustion", Some("pool-exhaustion")),
            ("exhaustion", Some("pool-exhaustion")),
            ("per-chunk", Some("pool-per-chunk")),
            ("rolout", Some("rollout")),
            ("thread", Some("more-threads")),
            ("nnoe", Some("none")),
            ("foo", None),
            ("non", Some("none")),
            ("o", None),
            ("", None),
            ("cat", None),
            ("something-else", None),
        ] {
            assert_eq!(nearest(typed, NAMES), expected, "{typed}");
        }
        assert_eq!(nearest("none", []), None);
        assert_eq!(did_you_mean("rolout", NAMES).as_deref(), Some("; did you mean 'rollout'?"));
        assert_eq!(did_you_mean("foo", NAMES), None);
    }
}
