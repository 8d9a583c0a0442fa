//! Whether runs are parts of one load.

use std::collections::BTreeSet;

use serde_json::Value;

use super::MergeError;
use super::part::Part;
use crate::result::Machine;

/// What may differ: with one seed, all machines would send at the same moments.
pub(super) const SEED: &str = "seed";
/// Most time between two starts.
const APART_MS_MAX: u64 = 3_600_000;

/// Checks that all parts had the same target and the same parameters, at about the same time, and that none is there
/// twice.
pub(super) fn check(parts: &[Part]) -> Result<(), MergeError> {
    let Some((first, others)) = parts.split_first() else { return Ok(()) };
    others.iter().try_for_each(|other| same_load(first, other))?;
    for (index, part) in parts.iter().enumerate() {
        parts[..index].iter().try_for_each(|earlier| one_time(earlier, part).and_then(|()| two_runs(earlier, part)))?;
    }
    Ok(())
}

fn same_load(first: &Part, other: &Part) -> Result<(), MergeError> {
    let names: BTreeSet<_> = first.run.parameters.keys().chain(other.run.parameters.keys()).collect();
    let differs = |name: &&&String| first.run.parameters.get(**name) != other.run.parameters.get(**name);
    let Some(name) = names.iter().filter(|name| name.as_str() != SEED).find(differs) else { return Ok(()) };
    let value = |part: &Part| part.run.parameters.get(*name).unwrap_or(&Value::Null).to_string();
    Err(MergeError::Differ {
        file: other.file.clone(),
        parameter: format!("parameters.{name}"),
        value: value(other),
        first: first.file.clone(),
        first_value: value(first),
    })
}

fn one_time(first: &Part, other: &Part) -> Result<(), MergeError> {
    let (ours, others) = (&first.run.machines, &other.run.machines);
    let apart = |one: &Machine| others.iter().map(|other| one.started_unix_ms.abs_diff(other.started_unix_ms)).max();
    let apart_ms = ours.iter().filter_map(apart).max().unwrap_or(0);
    if apart_ms <= APART_MS_MAX {
        return Ok(());
    }
    let (file, first) = (other.file.clone(), first.file.clone());
    Err(MergeError::Apart { file, first, minutes: apart_ms as f64 / 60_000.0 })
}

fn two_runs(first: &Part, other: &Part) -> Result<(), MergeError> {
    let in_both = |machine| first.run.machines.iter().any(|known| known.is_same_run(machine));
    if other.run.machines.iter().any(in_both) {
        return Err(MergeError::Twice { file: other.file.clone(), first: first.file.clone() });
    }
    Ok(())
}
