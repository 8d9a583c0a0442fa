//! The machines of a merged result: a line for each, and whether their loads were on at the same time.

use super::{Paint, Terminal, wrap};
use crate::numbers::{count, millis, short_millis};
use crate::result::{Machine, Outcome, Together};

/// Width of a machine's name, and of its figures.
const NAME: usize = 30;
const FIGURE: usize = 11;

/// Prints the machines, if the result was merged of several.
pub(super) fn machines(terminal: &Terminal, machines: &[Machine]) {
    let Some(first) = machines.iter().map(|machine| machine.started_unix_ms).min() else { return };
    terminal.line("");
    let heads = ["started", "requests", "lag p99"].map(|head| format!("{head:>FIGURE$}")).concat();
    let title = format!("{} machines", machines.len());
    terminal.line(terminal.paint(Paint::Bold, &format!(" {title:<NAME$}{heads}  alone")));
    for machine in machines {
        let figures = [started(machine, first), count(machine.requested), short_millis(machine.schedule_lag_ms.p99)];
        let figures = figures.map(|figure| format!("{figure:>FIGURE$}")).concat();
        let word = machine.result.as_str();
        let word =
            if machine.result == Outcome::Invalid { terminal.paint(Paint::Yellow, word) } else { word.to_owned() };
        terminal.line(format!(" {:<NAME$}{figures}  {word}", end_of(&machine.name)));
    }
    if let Some(together) = together(machines) {
        terminal.line(wrap("  ", &together));
    }
}

/// How long after the first machine this one started: `+1.2 s`.
pub(super) fn started(machine: &Machine, first_unix_ms: u64) -> String {
    format!("+{}", millis((machine.started_unix_ms - first_unix_ms) as f64))
}

/// How well the loads coincided, in a sentence.
pub(super) fn together(machines: &[Machine]) -> Option<String> {
    let Together { starts_apart_ms, loaded_ms, longest_ms } = Together::of(machines)?;
    Some(format!(
        "By their clocks, they started within {} of each other, and all were loading the server for {} of {}.",
        millis(starts_apart_ms),
        millis(loaded_ms),
        millis(longest_ms)
    ))
}

/// The end of a long name, which is what tells files apart.
fn end_of(name: &str) -> String {
    let length = name.chars().count();
    if length < NAME {
        return name.to_owned();
    }
    let end: String = name.chars().skip(length + 2 - NAME).collect();
    format!("…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_their_ends() {
        assert_eq!(end_of("results/loadgen-0.json"), "results/loadgen-0.json");
        let long = end_of("/somewhere/far/away/in/a/folder/results/loadgen-11.json");
        assert!(long.starts_with('…') && long.ends_with("results/loadgen-11.json"), "{long}");
        assert_eq!(long.chars().count(), NAME - 1);
    }
}
