//! The state that all requests share: settings, ledger, quotas, faults, random numbers.

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

/// The state that all requests share.
#[derive(Debug)]
pub(crate) struct Vendor {
    pub(crate) settings: Settings,
    pub(crate) faults: Rules,
    pub(crate) quota_enforcer: Arc<QuotaEnforcer>,
    pub(crate) slots: Arc<GenerationSlots>,
    pub(crate) counters: Arc<LedgerCounters>,
    pub(crate) latencies: Arc<Latencies>,
    /// Requests that drew random numbers.
    requests: AtomicU64,
    /// Request ids generated.
    generated_ids: AtomicU64,
    /// Generations that continue after their client has disconnected. They end with the vendor.
    background: Mutex<JoinSet<()>>,
}

/// The random numbers of one request: one generator per purpose, so that the faults of a request do not change its
/// delays.
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

    /// The random numbers of the next request. They depend only on the seed and the number of requests before it.
    pub(crate) fn next_rngs(&self) -> RequestRngs {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let rng = |kind: u64| Rng::with_seed(mix(self.settings.seed ^ mix(number ^ mix(kind))));
        RequestRngs { faults: rng(1), delays: rng(2), id: rng(3) }
    }

    /// An id for a request without one.
    pub(crate) fn next_request_id(&self) -> String {
        format!("req_{:016x}", self.generated_ids.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs the rest of a generation whose client has disconnected. At shutdown, without a runtime, it ends here.
    pub(crate) fn run_in_background(&self, generation: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let mut background = self.background.lock().unwrap_or_else(PoisonError::into_inner);
        while background.try_join_next().is_some() {}
        background.spawn_on(generation, &runtime);
    }

    /// The ledger, with complete lists.
    pub(crate) fn ledger(&self) -> Ledger {
        self.counters.snapshot(usize::MAX)
    }

    /// As after a start, except for active generations and the fault rules in force.
    pub(crate) fn reset(&self) {
        self.counters.reset();
        self.latencies.reset();
        self.faults.restart_counts();
        self.quota_enforcer.reset();
        self.requests.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(vendor: &Vendor) -> Vec<[u64; 3]> {
        let draw = |mut rngs: RequestRngs| [rngs.faults.u64(..), rngs.delays.u64(..), rngs.id.u64(..)];
        (0..50).map(|_| draw(vendor.next_rngs())).collect()
    }

    #[test]
    fn random_numbers_depend_only_on_seed_and_order() {
        let vendor = |seed| Vendor::new(Settings { seed, ..Settings::default() });
        let one = vendor(1);
        let first = drawn(&one);
        assert_eq!(first, drawn(&vendor(1)));
        assert_ne!(first, drawn(&vendor(2)));
        assert_ne!(first, drawn(&one), "later requests differ");
        one.reset();
        assert_eq!(first, drawn(&one));
        let mut all: Vec<u64> = first.into_iter().flatten().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 150, "the generators are independent");
    }
}
