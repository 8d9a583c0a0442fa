//! What all requests share: settings, ledger, quotas, faults, randomness.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fastrand::Rng;
use tokio::task::JoinSet;
use wire::ledger::Ledger;

use crate::faults::Rules;
use crate::generation_slots::GenerationSlots;
use crate::ledger::LedgerCounters;
use crate::metrics::Latencies;
use crate::quota_enforcer::QuotaEnforcer;
use crate::settings::Settings;
use crate::text::mix;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Vendor {
    pub(crate) settings: Settings,
    pub(crate) faults: Rules,
    pub(crate) quota_enforcer: Arc<QuotaEnforcer>,
    pub(crate) slots: Arc<GenerationSlots>,
    pub(crate) counters: Arc<LedgerCounters>,
    pub(crate) latencies: Arc<Latencies>,
    /// Requests that made random choices.
    requests: AtomicU64,
    /// Requests that brought no id of their own.
    generated_ids: AtomicU64,
    /// Generations that go on without their client. They end with the vendor.
    background: Mutex<JoinSet<()>>,
}

/// The random choices of one request: of a kind each, so that what goes wrong with a request does
/// not change how long its tokens take.
#[derive(Debug)]
pub(crate) struct RequestRngs {
    pub(crate) faults: Rng,
    pub(crate) delays: Rng,
    pub(crate) id: Rng,
}

impl Vendor {
    pub(crate) fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Vendor {
            faults: Rules::new(&settings.faults),
            quota_enforcer: QuotaEnforcer::new(settings.quotas.clone()),
            slots: Arc::new(GenerationSlots::new(settings.slots, settings.slowdown)),
            counters: Arc::default(),
            latencies: Arc::default(),
            requests: AtomicU64::new(0),
            generated_ids: AtomicU64::new(0),
            background: Mutex::default(),
            settings,
        })
    }

    /// The random choices of the next request: a function of the seed and how many came before it,
    /// so that what else goes on does not change them.
    pub(crate) fn next_rngs(&self) -> RequestRngs {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let rng = |kind: u64| Rng::with_seed(mix(self.settings.seed ^ mix(number ^ mix(kind))));
        RequestRngs { faults: rng(1), delays: rng(2), id: rng(3) }
    }

    /// An id for a request that brought none.
    pub(crate) fn next_request_id(&self) -> String {
        format!("req_{:016x}", self.generated_ids.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs a generation that has lost its client to its end. Without a runtime (at its shutdown)
    /// it ends here.
    pub(crate) fn run_in_background(&self, orphan: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let mut background = self.background.lock().unwrap_or_else(PoisonError::into_inner);
        while background.try_join_next().is_some() {}
        background.spawn_on(orphan, &runtime);
    }

    /// What was seen, with all single records that are remembered.
    pub(crate) fn ledger(&self) -> Ledger {
        self.counters.snapshot(usize::MAX)
    }

    /// As newly started, but for the generations under way and the fault rules that are in force.
    pub(crate) fn reset(&self) {
        self.counters.reset();
        self.latencies.reset();
        self.faults.restart();
        self.quota_enforcer.reset();
        self.requests.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(vendor: &Vendor) -> Vec<[u64; 3]> {
        let draw = |mut choices: RequestRngs| [choices.faults.u64(..), choices.delays.u64(..), choices.id.u64(..)];
        (0..50).map(|_| draw(vendor.next_rngs())).collect()
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
