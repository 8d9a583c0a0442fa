//! The vendors' ledgers, sampled throughout the run: pressure must last for a whole phase, and a late answer to
//! such a cheap request shows that the machine is busy.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use crate::http::Endpoint;
use crate::vendor::{self, Counts};

/// Time between two samples.
const INTERVAL: Duration = Duration::from_millis(200);

/// Samples of the ledger of one arm's vendor.
#[derive(Debug, Default)]
pub(super) struct VendorSamples(Mutex<Vec<Sample>>);

#[derive(Debug, Clone, Copy)]
struct Sample {
    /// When it was requested, since the start of the run.
    asked: Duration,
    took: Duration,
    counts: Counts,
}

impl VendorSamples {
    /// Active generations in `[from, to]`: the 10th percentile of the samples, and the mean. The ledgers at both
    /// ends count as samples.
    pub(super) fn active(&self, from: Duration, to: Duration, ends: [u64; 2]) -> (u64, f64) {
        let mut active: Vec<_> = self.within(from, to).iter().map(|sample| sample.counts.active).collect();
        active.extend(ends);
        active.sort_unstable();
        let mean = active.iter().sum::<u64>() as f64 / active.len() as f64;
        (active[active.len() / 10], mean)
    }

    /// The slowest answer of the vendor in `[from, to]`.
    pub(super) fn slowest_answer(&self, from: Duration, to: Duration) -> Duration {
        self.within(from, to).iter().map(|sample| sample.took).max().unwrap_or_default()
    }

    /// The counts of the last sample.
    pub(super) fn latest(&self) -> Option<Counts> {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.last().map(|sample| sample.counts)
    }

    fn within(&self, from: Duration, to: Duration) -> Vec<Sample> {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.iter().filter(|sample| (from..=to).contains(&sample.asked)).copied().collect()
    }

    async fn take(&self, vendor: &Endpoint, origin: Instant) {
        let asked = origin.elapsed();
        // The engine finds a vendor that does not answer, since it needs its ledger.
        if let Ok(ledger) = vendor::counts(vendor).await {
            let took = origin.elapsed().saturating_sub(asked);
            let sample = Sample { asked, took, counts: Counts::from(&ledger) };
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
        }
    }
}

/// Samples these vendors until the handle is dropped. `origin` is the start of the run.
pub(super) fn watch(origin: Instant, vendors: Vec<(Endpoint, Arc<VendorSamples>)>) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut due = interval(INTERVAL);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            join_all(vendors.iter().map(|(vendor, samples)| samples.take(vendor, origin))).await;
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(active: &[u64]) -> VendorSamples {
        let sample = |(index, active): (usize, &u64)| Sample {
            asked: Duration::from_millis(100 * index as u64),
            took: Duration::from_millis(*active),
            counts: Counts { active: *active, ..Counts::default() },
        };
        VendorSamples(Mutex::new(active.iter().enumerate().map(sample).collect()))
    }

    #[test]
    fn a_peak_is_not_pressure() {
        let all = Duration::from_secs(100);
        let mut lively = vec![40; 100];
        lively[50] = 60;
        assert_eq!(samples(&lively).active(Duration::ZERO, all, [40, 40]).0, 40);
        let mut gone = vec![0; 100];
        gone[..20].fill(60);
        assert_eq!(samples(&gone).active(Duration::ZERO, all, [60, 0]).0, 0);
        // The last streams may end shortly before the phase does.
        let mut nearly = vec![60; 100];
        nearly[97..].fill(30);
        assert_eq!(samples(&nearly).active(Duration::ZERO, all, [60, 30]).0, 60);
    }

    #[test]
    fn only_the_samples_of_the_phase_count() {
        let samples = samples(&[0, 0, 7, 9, 0]);
        let ms = Duration::from_millis;
        assert_eq!(samples.active(ms(200), ms(300), [8, 8]), (7, 8.0));
        assert_eq!(samples.slowest_answer(ms(200), ms(300)), ms(9));
    }
}
