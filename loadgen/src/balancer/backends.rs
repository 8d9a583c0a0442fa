//! The backends, which of them are ready, and whose turn it is.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use super::stats::{BackendStats, BalancerStats, ReadyLog};
use crate::http::Endpoint;

/// The backends of a balancer.
pub(super) struct Backends {
    all: Vec<Backend>,
    turn: AtomicUsize,
    log: Mutex<ReadyLog>,
}

/// A server behind the balancer. It gets no requests before its first successful probe.
pub(super) struct Backend {
    pub(super) endpoint: Endpoint,
    ready: AtomicBool,
    requests: AtomicU64,
}

impl Backends {
    pub(super) fn new(endpoints: Vec<Endpoint>) -> Self {
        let backend = |endpoint| Backend { endpoint, ready: AtomicBool::new(false), requests: AtomicU64::new(0) };
        let all = endpoints.into_iter().map(backend).collect();
        Backends { all, turn: AtomicUsize::new(0), log: Mutex::new(ReadyLog::new()) }
    }

    pub(super) fn all(&self) -> &[Backend] {
        &self.all
    }

    /// The next backend that is ready, round robin.
    pub(super) fn next(&self) -> Option<&Backend> {
        let first = self.turn.fetch_add(1, Relaxed);
        let in_turn = (0..self.all.len()).map(|offset| &self.all[first.wrapping_add(offset) % self.all.len()]);
        let backend = in_turn.into_iter().find(|backend| backend.ready.load(Relaxed))?;
        backend.requests.fetch_add(1, Relaxed);
        Some(backend)
    }

    /// Notes whether a backend is ready.
    pub(super) fn set_ready(&self, index: usize, ready: bool) {
        self.all[index].ready.store(ready, Relaxed);
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.note(self.all.iter().filter(|backend| backend.ready.load(Relaxed)).count() as u64);
    }

    /// The part of a balancer's counts that is about its backends.
    pub(super) fn stats(&self) -> BalancerStats {
        let backend = |backend: &Backend| BackendStats {
            url: backend.endpoint.to_string(),
            ready: backend.ready.load(Relaxed),
            requests: backend.requests.load(Relaxed),
        };
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let ready_over_time = log.changes();
        BalancerStats {
            uptime_ms: log.uptime_ms(),
            ready: ready_over_time.back().map_or(0, |latest| latest.ready),
            ready_over_time,
            backends: self.all.iter().map(backend).collect(),
            ..BalancerStats::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backends(ready: &[bool]) -> Backends {
        let endpoint = |index| Endpoint::at(([127, 0, 0, 1], 8000 + index).into());
        let backends = Backends::new((0..ready.len() as u16).map(endpoint).collect());
        ready.iter().enumerate().for_each(|(index, ready)| backends.set_ready(index, *ready));
        backends
    }

    fn ports(backends: &Backends, requests: usize) -> Vec<u16> {
        (0..requests).map(|_| backends.next().unwrap().endpoint.addr().port()).collect()
    }

    #[test]
    fn requests_go_round_and_leave_out_what_is_not_ready() {
        assert_eq!(ports(&backends(&[true, true, true]), 6), [8000, 8001, 8002, 8000, 8001, 8002]);
        let backends = backends(&[true, false, true]);
        let chosen = ports(&backends, 6);
        assert!(!chosen.contains(&8001) && chosen.contains(&8000) && chosen.contains(&8002), "{chosen:?}");
        assert_eq!(backends.stats().backends.iter().map(|backend| backend.requests).sum::<u64>(), 6);
    }

    #[test]
    fn without_a_ready_backend_there_is_none() {
        assert!(backends(&[false, false]).next().is_none());
    }

    #[test]
    fn each_change_of_their_number_is_kept_once() {
        let backends = backends(&[true, true]);
        for ready in [true, false, false, true] {
            backends.set_ready(1, ready);
        }
        let counts: Vec<_> = backends.stats().ready_over_time.iter().map(|change| change.ready).collect();
        assert_eq!(counts, [0, 1, 2, 1, 2]);
    }
}
