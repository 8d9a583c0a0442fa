//! Probes the backends and notes which are ready.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::backends::Backends;
use super::settings::ReadinessRules;
use crate::http::{self, Endpoint};

/// Probes all backends, each by itself, until the set is dropped.
pub(super) fn watch(backends: &Arc<Backends>, rules: &ReadinessRules) -> JoinSet<()> {
    let probing = (0..backends.all().len()).map(|index| probe(index, backends.clone(), rules.clone()));
    probing.collect()
}

async fn probe(index: usize, backends: Arc<Backends>, rules: ReadinessRules) {
    let endpoint = &backends.all()[index].endpoint;
    let mut due = interval(rules.period);
    due.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut failed = 0;
    loop {
        due.tick().await;
        if says_ready(endpoint, &rules).await {
            failed = 0;
            backends.set_ready(index, true);
        } else {
            failed += 1;
            if failed >= rules.failure_threshold {
                backends.set_ready(index, false);
            }
        }
    }
}

/// As in Kubernetes, any status from 200 to 399 says yes.
async fn says_ready(endpoint: &Endpoint, rules: &ReadinessRules) -> bool {
    matches!(timeout(rules.timeout, http::get(endpoint, &rules.path, 0)).await, Ok(Ok((200..=399, _))))
}
