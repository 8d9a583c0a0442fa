//! The mistakes that broken-server has, by its own list: with those that have no lab.

use std::path::Path;
use std::time::Duration;

use process::Launch;
use serde::Serialize;

use super::SessionError;

/// A mistake of broken-server, or its control `none`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// Its name: `--mistake NAME`.
    pub name: String,
    /// Its part of the workshop: `threads`, or `control`.
    pub group: String,
    /// What to look for, in one sentence.
    pub symptom: String,
}

/// Runs `broken-server --list`.
pub(super) async fn catalogue(program_dir: &Path) -> Result<Vec<Mistake>, SessionError> {
    const TIMEOUT: Duration = Duration::from_secs(20);
    let list = Launch::new(program_dir.join("broken-server")).args(["--list"]);
    let output = list.output(TIMEOUT).await?;
    let mistakes = listed(&output.stdout);
    if mistakes.is_empty() {
        return Err(SessionError::NoMistakes(format!("{}, {}", output.status, output.stderr.trim())));
    }
    Ok(mistakes)
}

/// The mistakes in the output of `broken-server --list`: a line for each group, and below it one for each of its
/// mistakes, indented, with its symptom.
#[must_use]
pub fn listed(list: &str) -> Vec<Mistake> {
    let (mut group, mut mistakes) = ("", Vec::new());
    for line in list.lines() {
        match line.strip_prefix("  ").map(|mistake| mistake.split_once(' ')) {
            None => group = line.trim(),
            Some(None) => {}
            Some(Some((name, symptom))) => {
                let (name, group, symptom) = (name.to_owned(), group.to_owned(), symptom.trim().to_owned());
                mistakes.push(Mistake { name, group, symptom });
            }
        }
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_has_its_group_and_its_symptom() {
        let list = "control\n  none             nothing is wrong\nthreads\n  pool-exhaustion  the 41st stream hangs\n";
        let seen = listed(list);
        let mistake = |name: &str, group: &str, symptom: &str| Mistake {
            name: name.to_owned(),
            group: group.to_owned(),
            symptom: symptom.to_owned(),
        };
        let expected = [
            mistake("none", "control", "nothing is wrong"),
            mistake("pool-exhaustion", "threads", "the 41st stream hangs"),
        ];
        assert_eq!(seen, expected);
        assert!(listed("").is_empty());
    }
}
