//! Servers as a diagnosis sees them, in few words.

use super::*;
use crate::diagnose::platform::known;
use crate::diagnose::seen::IdleStream;
use crate::result::{DiagnosisLevel, ProbeLevel, Quantiles};

/// What was seen of a server: a good level and, where there is one, that of a collapse.
#[derive(Clone)]
pub(super) struct Server(pub(super) Seen);

const GAP: Duration = Duration::from_millis(250);

fn probe(p50: f64, timed_out: u64) -> ProbeLevel {
    let latency_ms = Quantiles { p50, p90: p50, p99: p50, max: p50 };
    ProbeLevel { sent: 50, answered: 50 - timed_out, timed_out, failed: 0, latency_ms }
}

fn level(streams: u64, started: u64) -> DiagnosisLevel {
    let probes = [HEALTH, UNKNOWN_PATH, KEPT_CONNECTION].map(|name| (name.to_owned(), probe(2.0, 0)));
    DiagnosisLevel {
        streams,
        started,
        waiting: streams.saturating_sub(started),
        chunks_per_second: 4.0 * started as f64,
        pace: Some(4.0),
        probes: probes.into(),
        ..DiagnosisLevel::default()
    }
}

impl Server {
    /// One whose chunks came at these times, on the idle server.
    pub(super) fn idle(chunks_ms: &[u64]) -> Self {
        let chunks: Vec<_> = chunks_ms.iter().copied().map(Duration::from_millis).collect();
        let mut idle = IdleStream { status: 200, ..IdleStream::default() };
        idle.set_times(&chunks, chunks.last().copied().unwrap_or_default());
        Server(Seen { idle, keeps_connections: true, streams_max: 1_000, ..Seen::default() })
    }

    /// One that is as when idle with as many streams as were tried.
    pub(super) fn unlimited() -> Self {
        let chunks: Vec<_> = (1..=17).map(|chunk| chunk * GAP.as_millis() as u64).collect();
        let Server(mut seen) = Server::idle(&chunks);
        let probes = [HEALTH, UNKNOWN_PATH, KEPT_CONNECTION].map(|name| (name.to_owned(), probe(2.0, 0)));
        (seen.levels, seen.idle_probes) = (vec![level(1, 1), level(1_000, 1_000)], probes.into());
        Server(seen)
    }

    /// One that serves `served` of so many streams, one after another as they end.
    pub(super) fn held(served: u64, streams: u64) -> Self {
        let Server(mut seen) = Server::unlimited();
        seen.levels = vec![level(1, 1), level(streams, served)];
        let corner = Some(Corner { good: served, bad: served + 1, ..Corner::default() });
        let served = vec![served; 21];
        let collapse = Collapse { level: 1, first_bad: 1, served, begun: 3, ended: 3, corner, ..Collapse::default() };
        seen.collapse = Some(collapse);
        Server(seen)
    }

    /// One that lets all streams flow, with chunks for `at_once` of them.
    pub(super) fn slowed(streams: u64, at_once: f64) -> Self {
        let Server(mut seen) = Server::held(streams, streams);
        let chunks = at_once / GAP.as_secs_f64();
        (seen.levels[1].chunks_per_second, seen.levels[1].pace) = (chunks, Some(chunks / streams as f64));
        Server(seen)
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Seen)) -> Self {
        change(&mut self.0);
        self
    }

    pub(super) fn collapse(self, change: impl FnOnce(&mut Collapse)) -> Self {
        self.with(|seen| change(seen.collapse.as_mut().unwrap()))
    }

    fn probes(self, names: &[&str], change: impl Fn(&mut ProbeLevel)) -> Self {
        self.with(|seen| {
            for name in names {
                change(seen.levels[1].probes.entry((*name).to_owned()).or_default());
            }
        })
    }

    pub(super) fn hanging(self, names: &[&str]) -> Self {
        self.probes(names, |at| *at = probe(4_000.0, 50))
    }

    pub(super) fn late(self, names: &[&str], p50: f64) -> Self {
        self.probes(names, |at| *at = probe(p50, 0))
    }

    pub(super) fn fast(self, names: &[&str]) -> Self {
        self.late(names, 2.0)
    }

    pub(super) fn failing(self, names: &[&str]) -> Self {
        self.probes(names, |at| (at.answered, at.failed) = (0, 50))
    }

    /// A probe with fewer streams.
    pub(super) fn before(self, name: &str, change: impl FnOnce(&mut ProbeLevel)) -> Self {
        self.with(|seen| change(seen.levels[0].probes.get_mut(name).unwrap()))
    }

    /// A probe of which a third had no answer with fewer streams.
    pub(super) fn partly_before(self, name: &str) -> Self {
        self.before(name, |at| (at.answered, at.timed_out) = (34, 16))
    }

    pub(super) fn lost(self, lost: u64) -> Self {
        self.with(|seen| (seen.levels[1].waiting, seen.levels[1].lost) = (0, lost))
    }

    pub(super) fn threads(self, before: u64, now: u64) -> Self {
        self.cpu(0.05).with(|seen| {
            seen.idle_process.threads = Some(before);
            seen.levels[1].threads = Some(now);
        })
    }

    /// As many threads with fewer streams, all of which flowed.
    pub(super) fn threads_with_fewer(self, streams: u64, threads: u64) -> Self {
        self.with(|seen| {
            seen.levels[0] = level(streams, streams);
            seen.levels[0].threads = Some(threads);
        })
    }

    pub(super) fn fds(self, before: u64, now: u64, limit: u64) -> Self {
        self.cpu(0.05).with(|seen| {
            seen.idle_process = ProcessSeen { fds: Some(before), ..seen.idle_process };
            let worst = &mut seen.levels[1];
            (worst.fds, worst.fds_of_fullest, worst.fds_limit) = (Some(now), Some(now), Some(limit));
        })
    }

    pub(super) fn cpu(self, cores: f64) -> Self {
        self.with(|seen| seen.levels.iter_mut().for_each(|level| level.cpu_cores = Some(cores)))
    }

    pub(super) fn header(self, name: &str, value: &str) -> Self {
        self.with(|seen| {
            seen.idle.headers.insert(name.to_owned(), value.to_owned());
            seen.platform = known(None, &seen.idle.headers);
        })
    }
}
