//! The list of mistakes, from which the command line, `--list` and the start-up message are derived.

use program::suggestion::nearest;

use crate::mistake::Mistake;
use crate::mistakes::{none, threads};

/// The default mistake.
pub const DEFAULT: &str = "pool-exhaustion";

/// All mistakes, and the control. To add a mistake, write its file
/// with its entry, and name it here: the command line, `--list`, the suggestions and the start-up message follow.
pub const MISTAKES: &[Mistake] = &[
    none::ENTRY,
    threads::pool_exhaustion::ENTRY,
    threads::pool_per_chunk::ENTRY,
    threads::blocked_executor::ENTRY,
    threads::blocking_client::ENTRY,
    threads::hidden_pool_users::ENTRY,
    threads::more_threads::ENTRY,
    threads::wrong_canary::ENTRY,
    threads::rollout::ENTRY,
    threads::orphaned_streams::ENTRY,
    threads::coordinated_omission::ENTRY,
];

/// The mistake of this name.
///
/// # Errors
/// A message for the command line: the list, and the name that was probably meant.
pub fn find(name: &str) -> Result<&'static Mistake, String> {
    MISTAKES.iter().find(|mistake| mistake.name == name).ok_or_else(|| {
        let meant = nearest(name, MISTAKES.iter().map(|mistake| mistake.name));
        let meant = meant.map(|meant| format!("; did you mean '{meant}'?")).unwrap_or_default();
        format!("there is no such mistake{meant}\n\n{}", list())
    })
}

/// All mistakes with their symptoms, one per line.
#[must_use]
pub fn list() -> String {
    let width = MISTAKES.iter().map(|mistake| mistake.name.len()).max().unwrap_or(0);
    let line = |mistake: &Mistake| format!("{:width$}  {:10} {}\n", mistake.name, mistake.group, mistake.symptom);
    MISTAKES.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::mistake::Group;

    #[test]
    fn names_are_unique_and_the_default_is_one_of_them() {
        let names: HashSet<_> = MISTAKES.iter().map(|mistake| mistake.name).collect();
        assert_eq!(names.len(), MISTAKES.len());
        assert!(find(DEFAULT).is_ok());
    }

    #[test]
    fn a_typing_error_gets_the_list_and_the_nearest_name() {
        let message = find("pool-exhaustoin").unwrap_err();
        assert!(message.contains("did you mean 'pool-exhaustion'?"), "{message}");
        assert!(!find("foo").unwrap_err().contains("did you mean"), "nothing is near");
        for mistake in MISTAKES {
            assert!(message.contains(mistake.name) && message.contains(mistake.symptom), "{message}");
        }
    }

    #[test]
    fn each_file_is_named_after_its_mistake_and_has_its_mark_once() {
        for mistake in MISTAKES {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(mistake.file);
            let code = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", mistake.file));
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap().replace('_', "-");
            assert_eq!(stem, mistake.name);

            let expected = usize::from(mistake.group != Group::Control);
            for mark in ["// ANCHOR: ", "// MISTAKE ", "// ANCHOR_END: "] {
                assert_eq!(code.matches(mark).count(), expected, "{mark:?} in {}", mistake.file);
                let named = format!("{mark}{}", mistake.name);
                assert_eq!(code.matches(&named).count(), expected, "{named:?} in {}", mistake.file);
            }
        }
    }
}
