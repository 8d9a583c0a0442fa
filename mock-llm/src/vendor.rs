//! What all requests share: settings, ledger, quotas, faults, randomness.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fastrand::Rng;
use tokio::task::JoinSet;
use wire::ledger::Ledger;

use crate::faults::Rules;
use crate::generation_slots::Slots;
use crate::ledger::Recorder;
use crate::metrics::Latencies;
use crate::quota_enforcer::Gate;
use crate::settings::Settings;
use crate::text::mix;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Vendor {
    pub(crate) settings: Settings,
    pub(crate) faults: Rules,
    pub(crate) gate: Arc<Gate>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) latencies: Arc<Latencies>,
    /// Requests that made random choices.
    requests: AtomicU64,
    /// Requests that brought no id of their own.
    nameless: AtomicU64,
    /// Generations that go on without their client. They end with the vendor.
    orphans: Mutex<JoinSet<()>>,
}

/// The random choices of one request: of a kind each, so that what goes wrong with a request does
/// not change how long its tokens take.
#[derive(Debug)]
pub(crate) struct Choices {
    pub(crate) faults: Rng,
    pub(crate) delays: Rng,
    pub(crate) id: Rng,
}

impl Vendor {
    pub(crate) fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Vendor {
            faults: Rules::new(&settings.faults),
            gate: Gate::new(settings.quotas.clone()),
            slots: Arc::new(Slots::new(settings.slots, settings.slowdown)),
            recorder: Arc::default(),
            latencies: Arc::default(),
            requests: AtomicU64::new(0),
            nameless: AtomicU64::new(0),
            orphans: Mutex::default(),
            settings,
        })
    }

    /// The random choices of the next request: a function of the seed and how many came before it,
    /// so that what else goes on does not change them.
    pub(crate) fn next_choices(&self) -> Choices {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let rng = |kind: u64| Rng::with_seed(mix(self.settings.seed ^ mix(number ^ mix(kind))));
        Choices { faults: rng(1), delays: rng(2), id: rng(3) }
    }

    /// An id for a request that brought none.
    pub(crate) fn next_request_id(&self) -> String {
        format!("req_{:016x}", self.nameless.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs a generation that has lost its client to its end. Without a runtime (at its shutdown)
    /// it ends here.
    pub(crate) fn adopt(&self, orphan: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let mut orphans = self.orphans.lock().unwrap_or_else(PoisonError::into_inner);
        while orphans.try_join_next().is_some() {}
        orphans.spawn_on(orphan, &runtime);
    }

    /// What was seen, with all single records that are remembered.
    pub(crate) fn ledger(&self) -> Ledger {
        self.recorder.snapshot(usize::MAX)
    }

    /// As newly started, but for the generations under way and the fault rules that are in force.
    pub(crate) fn reset(&self) {
        self.recorder.reset();
        self.latencies.reset();
        self.faults.restart();
        self.gate.reset();
        self.requests.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(vendor: &Vendor) -> Vec<[u64; 3]> {
        let draw = |mut choices: Choices| [choices.faults.u64(..), choices.delays.u64(..), choices.id.u64(..)];
        (0..50).map(|_| draw(vendor.next_choices())).collect()
    }

    #[test]
    fn choices_depend_on_the_seed_and_the_order_alone() {
        let vendor = |seed| Vendor::new(Settings { seed, ..Settings::default() });
        let one = vendor(1);
        let first = drawn(&one);
        assert_eq!(first, drawn(&vendor(1)));
        assert_ne!(first, drawn(&vendor(2)));
        assert_ne!(first, drawn(&one), "other requests, other choices");
        one.reset();
        assert_eq!(first, drawn(&one));
        let mut all: Vec<u64> = first.into_iter().flatten().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 150, "one kind of choice tells nothing of another");
    }
}
