//! All mistakes, from which the command line, `--list` and the start-up message are derived.

use program::suggestion::did_you_mean;

use crate::mistake::{Group, Mistake};
use crate::mistakes::{calls, none, operations, threads};

/// The default mistake.
pub const DEFAULT: &str = "pool-exhaustion";

/// All mistakes, the control first, in the order of the workshop. To add one, write its file with its entry, and name
/// it in the list of its group (`mistakes/threads.rs`, ...): the command line, `--list`, the suggestions and the
/// start-up message follow.
pub fn mistakes() -> impl Iterator<Item = &'static Mistake> + Clone {
    [&[none::ENTRY], threads::MISTAKES, calls::MISTAKES, operations::MISTAKES].into_iter().flatten()
}

/// The mistake of this name.
///
/// # Errors
/// A message for the command line: the list, and the name that was probably meant.
pub fn find(name: &str) -> Result<&'static Mistake, String> {
    mistakes().find(|mistake| mistake.name == name).ok_or_else(|| {
        let meant = did_you_mean(name, mistakes().map(|mistake| mistake.name)).unwrap_or_default();
        format!("there is no such mistake{meant}\n\n{}", list(None))
    })
}

/// All mistakes by group, or those of one group, each on a line with its symptom.
#[must_use]
pub fn list(only: Option<Group>) -> String {
    let width = mistakes().map(|mistake| mistake.name.len()).max().unwrap_or(0);
    let line = |mistake: &Mistake| format!("  {:width$}  {}\n", mistake.name, mistake.symptom);
    let of_group = |group: Group| {
        let lines: String = mistakes().filter(|mistake| mistake.group == group).map(line).collect();
        if lines.is_empty() { lines } else { format!("{group}\n{lines}") }
    };
    Group::ALL.into_iter().filter(|group| only.is_none_or(|only| only == *group)).map(of_group).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn names_are_unique_and_the_default_is_one_of_them() {
        let names: HashSet<_> = mistakes().map(|mistake| mistake.name).collect();
        assert_eq!(names.len(), mistakes().count());
        assert!(find(DEFAULT).is_ok());
    }

    #[test]
    fn a_typing_error_gets_the_list_and_the_nearest_name() {
        let message = find("pool-exhaustoin").unwrap_err();
        assert!(message.contains("did you mean 'pool-exhaustion'?"), "{message}");
        assert!(!find("foo").unwrap_err().contains("did you mean"), "nothing is near");
        for mistake in mistakes() {
            assert!(message.contains(mistake.name) && message.contains(mistake.symptom), "{message}");
        }
    }

    #[test]
    fn a_group_is_listed_alone() {
        let calls = list(Some(Group::Calls));
        assert!(calls.starts_with("calls\n") && calls.contains("unbounded-queue"), "{calls}");
        assert!(!calls.contains("pool-exhaustion") && list(None).contains(&calls), "{calls}");
    }

    #[test]
    fn each_file_is_named_after_its_mistake_and_has_its_mark_once() {
        for mistake in mistakes() {
            let file = mistake.file();
            let code = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file));
            let code = code.unwrap_or_else(|error| panic!("{file}: {error}"));
            let expected = usize::from(mistake.group != Group::Control);
            for mark in ["// ANCHOR: ", "// MISTAKE ", "// ANCHOR_END: "] {
                assert_eq!(code.matches(mark).count(), expected, "{mark:?} in {file}");
                let named = format!("{mark}{}", mistake.name);
                assert_eq!(code.matches(&named).count(), expected, "{named:?} in {file}");
            }
        }
    }
}
