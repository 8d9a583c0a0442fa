//! What is read from outside at the start and at the end of a phase: the vendor's ledger, the processes, the server's
//! own metrics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use wire::ledger::{Ledger, REQUEST_IDS_MAX};

use super::server_metrics::ServerMetrics;
use super::vendor_samples::VendorSamples;
use crate::balancer::BalancerStats;
use crate::http::Endpoint;
use crate::measure::{ProcessUsage, ServerSamples};
use crate::result::{MetricName, MetricStats, PhaseLedger, PhaseProcess, VendorLoad, VendorStats};
use crate::vendor::{self, LedgerError};

/// The evidence on one arm at one moment.
#[derive(Debug)]
pub(super) struct Evidence {
    /// Since the start of the run.
    pub(super) at: Duration,
    /// The vendor's whole ledger, if there is a vendor.
    ledger: Option<Ledger>,
    usage: Option<ProcessUsage>,
    metrics: ServerMetrics,
    /// The balancer's counts, if there is one.
    pub(super) balancer: Option<BalancerStats>,
}

impl Evidence {
    /// Reads the vendor's ledger, the processes of `samples`, and the metrics of `servers`. `origin` is the start of
    /// the run.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read. A server without metrics is no error.
    pub(super) async fn read(
        vendor: Option<Endpoint>,
        samples: &Arc<ServerSamples>,
        servers: &[Endpoint],
        origin: Instant,
    ) -> Result<Self, LedgerError> {
        let at = origin.elapsed();
        let samples = samples.clone();
        // If it panicked, the figures of the processes are missing, but the run is not lost.
        let usage = async { spawn_blocking(move || samples.usage()).await.ok().flatten() };
        let ledger = async {
            match vendor {
                Some(vendor) => vendor::ledger(&vendor).await.map(Some),
                None => Ok(None),
            }
        };
        let (ledger, usage, metrics) = tokio::join!(ledger, usage, ServerMetrics::read(servers));
        Ok(Evidence { at, ledger: ledger?, usage, metrics, balancer: None })
    }

    /// The same, with the balancer's counts.
    pub(super) fn with_balancer(self, balancer: Option<BalancerStats>) -> Self {
        Evidence { balancer, ..self }
    }
}

/// The evidence on a phase of an arm.
#[derive(Debug)]
pub(super) struct PhaseEvidence {
    /// Before its actions and loads.
    pub(super) begun: Evidence,
    /// The vendor's counts at the start of the measurement, if there is a vendor.
    pub(super) before: Option<Ledger>,
    /// At its end.
    pub(super) ended: Evidence,
}

impl PhaseEvidence {
    /// What the vendor saw, from the start of the phase.
    pub(super) fn ledger(&self) -> Option<PhaseLedger> {
        let (begun, ended) = (self.begun.ledger.as_ref()?, self.ended.ledger.clone()?);
        let has_all_ids = ended.attempts_by_request_id.len() < REQUEST_IDS_MAX;
        Some(PhaseLedger::new(&vendor::since(begun, ended, 0), has_all_ids))
    }

    /// What the processes of `samples` used, from the start of the phase.
    pub(super) fn process(&self, samples: &ServerSamples) -> Option<PhaseProcess> {
        let (begun, ended) = (&self.begun, &self.ended);
        Some(samples.phase_process((begun.at, begun.usage?), (ended.at, ended.usage?)))
    }

    /// These metrics of the servers.
    pub(super) fn metrics(&self, names: &[MetricName]) -> BTreeMap<String, MetricStats> {
        ServerMetrics::stats(&self.begun.metrics, &self.ended.metrics, names)
    }

    /// Peak of the vendor's active generations up to the end of the phase.
    pub(super) fn vendor_peak_active(&self) -> Option<u64> {
        self.ended.ledger.as_ref().map(|ended| ended.peak_active)
    }

    /// The vendor's counts in the measurement.
    pub(super) fn vendor_stats(&self) -> Option<VendorStats> {
        let (before, ended) = (self.before.as_ref()?, self.ended.ledger.as_ref()?);
        let since = |count: fn(&Ledger) -> u64| count(ended).saturating_sub(count(before));
        Some(VendorStats {
            started: since(|ledger| ledger.started),
            completed: since(|ledger| ledger.completed),
            cancelled: since(|ledger| ledger.cancelled),
            tokens_sent: since(|ledger| ledger.tokens_sent),
            tokens_after_disconnect: since(|ledger| ledger.tokens_after_disconnect),
            active: ended.active,
        })
    }

    /// The load on the vendor, which was measured in `[from, to)`. Until then clients had received this many tokens.
    pub(super) fn vendor_load(
        &self,
        samples: &VendorSamples,
        from: Duration,
        to: Duration,
        tokens_received: u64,
    ) -> Option<VendorLoad> {
        let (begun, before) = (self.begun.ledger.as_ref()?, self.before.as_ref()?);
        let ended = self.ended.ledger.as_ref()?;
        let (active_throughout, active_mean) = samples.active(from, to, [before.active, ended.active]);
        Some(VendorLoad {
            active_throughout,
            active_mean,
            failed: failed_calls(ended).saturating_sub(failed_calls(begun)),
            completed_so_far: ended.completed,
            tokens_sent_so_far: ended.tokens_sent,
            tokens_received_so_far: tokens_received,
        })
    }
}

/// Calls that the vendor failed. A call may be in several counts, so the largest count is used.
fn failed_calls(ledger: &Ledger) -> u64 {
    let faults = ledger.faults.values().sum::<u64>();
    let is_failure = |status: &str| status == "429" || status.starts_with('5');
    let refused = ledger.requests_by_status.iter().filter(|(status, _)| is_failure(status)).map(|(_, count)| count);
    faults.max(ledger.failed).max(refused.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_vendor_failure_counts_once() {
        let mut ledger = Ledger::default();
        assert_eq!(failed_calls(&ledger), 0);
        ledger.requests_by_status = [("200".into(), 5), ("400".into(), 2), ("500".into(), 4)].into();
        assert_eq!(failed_calls(&ledger), 4);
        ledger.faults = [("status".into(), 4), ("hang".into(), 3)].into();
        assert_eq!(failed_calls(&ledger), 7);
        ledger.failed = 9;
        assert_eq!(failed_calls(&ledger), 9);
    }
}
