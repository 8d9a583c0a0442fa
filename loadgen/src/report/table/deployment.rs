//! The rows about restarts, ready replicas and what a balancer answered itself.

use crate::result::{ArmResult, PhaseBalancer, PhaseDeployment};

/// The rows of a phase: each a label and a cell for each arm. A count that is zero everywhere has none.
pub(in crate::report) fn rows(arms: &[&ArmResult], phase: &str, title: &str) -> Vec<(String, Vec<Option<String>>)> {
    let of = |arm: &ArmResult| arm.phase(phase)?.deployment;
    let found: Vec<Option<PhaseDeployment>> = arms.iter().map(|arm| of(arm)).collect();
    let balancers: Vec<_> = found.iter().map(|found| found.and_then(|found| found.balancer)).collect();
    let mut rows = Vec::new();
    if found.iter().flatten().any(|found| found.restarts.is_some()) {
        let restarts = found.iter().map(|found| found.and_then(|found| found.restarts).map(|count| count.to_string()));
        rows.push((format!("restarts, {title}"), restarts.collect()));
    }
    if balancers.iter().any(Option::is_some) {
        let ready = balancers.iter().map(|balancer| balancer.as_ref().map(ready));
        rows.push((format!("replicas ready, {title}"), ready.collect()));
    }
    let mut counts = |label: &str, count: fn(&PhaseBalancer) -> u64| {
        if balancers.iter().flatten().any(|balancer| count(balancer) > 0) {
            let cells = balancers.iter().map(|balancer| balancer.as_ref().map(|balancer| count(balancer).to_string()));
            rows.push((format!("  {label}"), cells.collect()));
        }
    };
    counts("503, none was ready", |balancer| balancer.no_backend);
    counts("502, one failed", |balancer| balancer.bad_gateway);
    counts("broken off by one", |balancer| balancer.broken_off);
    rows
}

fn ready(balancer: &PhaseBalancer) -> String {
    let PhaseBalancer { ready_least, ready_most, replicas, .. } = balancer;
    if ready_least == ready_most {
        format!("{ready_least} of {replicas}")
    } else {
        format!("{ready_least}-{ready_most} of {replicas}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::PhaseResult;

    fn arm(deployment: Option<PhaseDeployment>) -> ArmResult {
        let phase = PhaseResult { name: "loaded".into(), deployment, ..PhaseResult::default() };
        ArmResult { phases: vec![phase], ..ArmResult::default() }
    }

    fn cells(row: &[Option<String>]) -> Vec<&str> {
        row.iter().map(|cell| cell.as_deref().unwrap_or("-")).collect()
    }

    #[test]
    fn restarts_and_replicas_are_shown_where_there_are_any() {
        let supervised = arm(Some(PhaseDeployment { restarts: Some(2), ..PhaseDeployment::default() }));
        let balancer = |least| PhaseBalancer {
            replicas: 3,
            ready_least: least,
            ready_most: 3,
            no_backend: 3 - least,
            ..PhaseBalancer::default()
        };
        let replicas =
            |least| arm(Some(PhaseDeployment { balancer: Some(balancer(least)), ..PhaseDeployment::default() }));
        let (out, up, single) = (replicas(0), replicas(3), arm(None));
        let rows = rows(&[&supervised, &out, &up, &single], "loaded", "vendor down");
        assert_eq!(rows[0].0, "restarts, vendor down");
        assert_eq!(cells(&rows[0].1), ["2", "-", "-", "-"]);
        assert_eq!(cells(&rows[1].1), ["-", "0-3 of 3", "3 of 3", "-"]);
        assert_eq!((rows[2].0.as_str(), cells(&rows[2].1)), ("  503, none was ready", vec!["-", "3", "0", "-"]));
        assert_eq!(rows.len(), 3, "nothing that is zero everywhere");
        assert!(super::rows(&[&single], "loaded", "loaded").is_empty());
    }
}
