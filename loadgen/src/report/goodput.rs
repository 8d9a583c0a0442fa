//! Goodput over time: a line of blocks for each arm.

use super::terminal::table_columns;
use super::{Paint, Terminal};
use crate::measure::SAMPLE_INTERVAL;
use crate::numbers::count;
use crate::result::{RunResult, TimelineRow, has_rates_in_several_phases};

/// From a little to the most.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const NONE: char = '·';
/// Length of a row of the timeline.
const ROW_MS: usize = SAMPLE_INTERVAL.as_millis() as usize;

/// Prints how many requests were answered over time, if requests came at a rate in several phases: with the same load
/// throughout, a server that answers fewer has lost something.
pub fn goodput(terminal: &Terminal, result: &RunResult) {
    let servers = result.servers();
    let rows = servers.iter().map(|(_, arm)| arm.timeline.len()).max().unwrap_or(0);
    if !has_rates_in_several_phases(result) || rows == 0 {
        return;
    }
    let name = servers.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let blocks_max = table_columns() - name - 3;
    let per_block = rows.div_ceil(blocks_max);
    let lines: Vec<_> = servers.iter().map(|(name, arm)| (name, answered(&arm.timeline, per_block))).collect();
    let most = lines.iter().flat_map(|(_, line)| line).copied().max().unwrap_or(0);
    let head = format!(" answered in each {} ms: █ {}, {NONE} none", per_block * ROW_MS, count(most));
    terminal.line("");
    terminal.line(terminal.paint(Paint::Bold, &head));
    terminal.line(format!(" {:name$} {}", "", titles(result, per_block, blocks_max)).trim_end());
    for (arm, line) in lines {
        let blocks: String = line.into_iter().map(|answered| block(answered, most)).collect();
        terminal.line(format!(" {arm:name$} {blocks}"));
    }
}

/// How many requests were answered in each block of `per_block` rows.
fn answered(rows: &[TimelineRow], per_block: usize) -> Vec<u64> {
    rows.chunks(per_block).map(|rows| rows.iter().map(|row| row.completed).sum()).collect()
}

fn block(answered: u64, most: u64) -> char {
    let blocks = BLOCKS.len() as u64;
    match (answered * blocks).div_ceil(most.max(1)) {
        0 => NONE,
        height => BLOCKS[height.min(blocks) as usize - 1],
    }
}

/// The titles of the phases, each above the block in which its measurement begins. One that does not fit before the next
/// or into `width` is left out.
fn titles(result: &RunResult, per_block: usize, width: usize) -> String {
    let mut line = String::new();
    let phases = result.phases();
    let columns = phases.iter().map(|phase| phase.from_ms as usize / (per_block * ROW_MS));
    // A space is between two titles.
    let nexts = columns.clone().skip(1).map(|next| next.saturating_sub(1)).chain([width]);
    for ((phase, column), next) in phases.iter().zip(columns).zip(nexts) {
        let end = line.chars().count();
        if column >= end && column + phase.title().chars().count() <= next {
            line.extend(std::iter::repeat_n(' ', column - end));
            line += phase.title();
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::result::{ArmResult, Environment, Generator, PhaseResult};

    fn row(completed: u64) -> TimelineRow {
        TimelineRow { completed, ..TimelineRow::default() }
    }

    #[test]
    fn the_most_is_a_whole_block_and_nothing_is_none() {
        let line: String = [0, 1, 5, 9, 10].into_iter().map(|answered| block(answered, 10)).collect();
        assert_eq!(line, "·▁▄██");
        assert_eq!((block(0, 0), block(1, 1_000_000)), (NONE, '▁'));
    }

    #[test]
    fn a_long_run_has_several_rows_in_a_block_and_loses_none() {
        let rows: Vec<_> = (0..7).map(row).collect();
        assert_eq!(answered(&rows, 3), [3, 12, 6]);
        assert_eq!(answered(&rows, 1).len(), 7);
    }

    #[test]
    fn a_title_that_does_not_fit_is_left_out() {
        let phase = |(title, from_s): &(&str, f64)| PhaseResult {
            name: (*title).to_owned(),
            from_ms: from_s * 1000.0,
            ..PhaseResult::default()
        };
        let line = |phases: &[(&str, f64)], width| {
            let arm = ArmResult { phases: phases.iter().map(phase).collect(), ..ArmResult::default() };
            let environment = Environment { cores: 2, memory_bytes: 0, os: String::new() };
            let result = RunResult::new("lab", environment, BTreeMap::new(), Generator::default());
            titles(&RunResult { arms: [("fixed".to_owned(), arm)].into(), ..result }, 1, width)
        };
        assert_eq!(line(&[("idle", 0.0), ("stall", 1.25), ("after", 3.0)], 20), "idle stall  after");
        assert_eq!(line(&[("idle", 0.0), ("stall", 1.0), ("after", 3.0)], 20), "    stall   after");
        assert_eq!(line(&[("idle", 0.0), ("stall", 1.25), ("after", 3.0)], 16), "idle stall");
    }
}
