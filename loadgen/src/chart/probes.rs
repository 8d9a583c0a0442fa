//! Which probe a chart is about.

use std::collections::BTreeSet;

use crate::result::{RunResult, collapse};

/// The probes of a result, those first that collapsed first at any server: the first of them shows what went wrong.
/// Where none did, the check on the thread pool is first.
#[must_use]
pub fn probes(result: &RunResult) -> Vec<&str> {
    let servers = result.servers();
    let of_rows = || servers.iter().flat_map(|(_, arm)| &arm.timeline).flat_map(|row| row.probe_max_ms.keys());
    let of_figures = || servers.iter().flat_map(|(_, arm)| arm.probes.keys());
    let names: BTreeSet<&str> = of_rows().chain(of_figures()).map(String::as_str).collect();
    let collapsed_ms = |probe: &str| {
        let moments = servers.iter().filter_map(|(_, arm)| Some(collapse(&arm.timeline, probe)?.t_ms));
        moments.fold(f64::INFINITY, f64::min)
    };
    let mut probes: Vec<_> = names.into_iter().map(|name| (collapsed_ms(name), name != "health_sync", name)).collect();
    probes.sort_by(|one, other| one.0.total_cmp(&other.0).then((one.1, one.2).cmp(&(other.1, other.2))));
    probes.into_iter().map(|(.., name)| name).collect()
}
