//! What holds for anything that may be seen.

use proptest::prelude::*;

use super::*;
use crate::diagnose::evidence::evidence;
use crate::diagnose::seen::IdleStream;
use crate::result::{DiagnosisLevel, ProbeLevel, Quantiles};

fn probes() -> impl Strategy<Value = ProbeLevel> {
    (0_u64..60, 0_u64..60, 0_u64..60, prop_oneof![0.0..5.0, 0.0..4_000.0]).prop_map(
        |(answered, timed_out, failed, p50)| ProbeLevel {
            sent: answered + timed_out + failed,
            answered,
            timed_out,
            failed,
            latency_ms: Quantiles { p50, p90: p50 * 1.5, p99: p50 * 2.0, max: p50 * 3.0 },
        },
    )
}

fn levels() -> impl Strategy<Value = DiagnosisLevel> {
    let streams = (0_u64..100, 0_u64..100, 0_u64..50, 0_u64..50, 0.0..500.0);
    let process = (any::<bool>(), 0.0..2.0, 0_u64..100, 0_u64..100, 0.0..2.0, 0.0..60.0);
    let probes = prop::collection::vec(probes(), 4);
    (streams, process, probes).prop_map(|(streams, process, probes)| {
        let names = [HEALTH, ASYNC_HEALTH, UNKNOWN_PATH, KEPT_CONNECTION];
        let known = process.0;
        DiagnosisLevel {
            streams: streams.0,
            started: streams.1,
            waiting: streams.2,
            lost: streams.3,
            chunks_per_second: streams.4,
            pace: Some(streams.4 / 10.0),
            probes: names.into_iter().map(str::to_owned).zip(probes).collect(),
            cpu_cores: known.then_some(process.1),
            threads: known.then_some(process.2),
            fds: known.then_some(process.3),
            fds_of_fullest: known.then_some(process.3),
            fds_limit: known.then_some(64),
            machine_cores: Some(process.4),
            generator_lag_ms: Some(process.5),
            ..DiagnosisLevel::default()
        }
    })
}

fn seen() -> impl Strategy<Value = Seen> {
    let collapse = (any::<bool>(), 0_usize..6, 0_usize..6, prop::collection::vec(0_u64..100, 0..24));
    let lost = (
        prop::collection::btree_map(prop_oneof![Just(429_u16), 400_u16..600], 1_u64..50, 0..2),
        prop::collection::btree_map("closed|refused", 1_u64..50, 0..2),
        0_u64..9,
        prop_oneof![0.0..900.0, 0.0..6_000.0],
    );
    let elsewhere = (
        prop::collection::vec((1_u64..100, 300_u64..4_000), 0..3),
        prop::option::weighted(0.1, 400_u16..600),
        prop::option::of(any::<bool>()),
    );
    let more = (0_u64..9, 0_u64..9, prop::option::of((0_u64..100, 0_u64..100, any::<bool>(), any::<bool>())));
    let idle = (prop::collection::vec(0_u64..9_000, 0..20), prop::collection::vec(probes(), 4), any::<bool>());
    let all = (prop::collection::vec(levels(), 0..5), collapse, more, idle, lost, elsewhere);
    all.prop_map(|(levels, collapse, more, idle, lost, elsewhere)| {
        let mut chunks: Vec<_> = idle.0.into_iter().map(Duration::from_millis).collect();
        chunks.sort_unstable();
        let mut stream = IdleStream { status: 200, ..IdleStream::default() };
        stream.set_times(&chunks, Duration::from_secs(9));
        let names = [HEALTH, ASYNC_HEALTH, UNKNOWN_PATH, KEPT_CONNECTION];
        let corner =
            more.2.map(|(good, bad, all_flowed, waits_with_room)| Corner { good, bad, all_flowed, waits_with_room });
        let at = Collapse {
            level: collapse.1,
            first_bad: collapse.2,
            served: collapse.3,
            begun: more.0,
            ended: more.1,
            rejected: lost.0,
            failed: lost.1,
            broken: lost.2,
            slowest_loss_ms: lost.3,
            corner,
        };
        let stalls = elsewhere.0.into_iter();
        let stalls = stalls.map(|(streams, length)| Stall { streams, length: Duration::from_millis(length) });
        Seen {
            idle: stream,
            idle_probes: names.into_iter().map(str::to_owned).zip(idle.1).collect(),
            keeps_connections: idle.2,
            idle_process: ProcessSeen {
                threads: Some(3),
                fds: Some(9),
                machine_cores: Some(0.1),
                listens: elsewhere.2,
            },
            levels,
            collapse: collapse.0.then_some(at),
            streams_max: 1_000,
            stalls: stalls.collect(),
            rejected_when_idle: elsewhere.1,
            ..Seen::default()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_was_seen_has_a_finding_and_sentences(seen in seen()) {
        let found = find(&seen);
        let sentences = evidence(&seen);
        prop_assert!(sentences.iter().all(|sentence| !sentence.is_empty()), "{sentences:?}");
        prop_assert_eq!(found.surer_with.is_some(), found.confidence < High, "{:?}", found);
    }

    #[test]
    fn a_finding_is_sure_only_with_the_evidence_of_its_kind(seen in seen()) {
        let found = find(&seen);
        if found.confidence < High {
            return Ok(());
        }
        let threads = seen.levels.iter().any(|level| level.threads.is_some());
        let processor = seen.levels.iter().any(|level| level.cpu_cores.is_some() || level.machine_cores.is_some());
        let evident = match (found.kind, found.form) {
            (ThreadPoolHeld, Some(InnerPool)) => threads && seen.event_loop_is_free(),
            (ThreadPoolHeld, Some(GrowingPool)) => threads && seen.hangs(HEALTH),
            (ThreadPoolHeld, _) => threads && seen.hangs(UNKNOWN_PATH),
            (ThreadPoolPerChunk | Cpu, _) => processor && !seen.is_fast(HEALTH),
            (EventLoopBlocked, _) => seen.hangs(UNKNOWN_PATH) || seen.stalls.len() > 1,
            (ConnectionLimit, _) => {
                let is_known = seen.levels.iter().any(|level| level.fds.is_some() || level.threads.is_some());
                is_known || seen.collapse.iter().any(|collapse| !collapse.failed.is_empty())
            }
            (UpstreamLimit, _) => seen.is_fast(UNKNOWN_PATH) && seen.is_fast(HEALTH),
            (NotStreaming, _) => !seen.idle.streams(),
            (NoneFound, _) => seen.worst().is_none(),
            (Inconclusive, _) => false,
        };
        prop_assert!(evident, "{:?}", found);
    }

    #[test]
    fn a_limit_is_never_less_than_what_flowed_at_once(seen in seen()) {
        let found = find(&seen);
        if let (ThreadPoolHeld | UpstreamLimit, Some(limit), Some(_)) = (found.kind, found.limit, &seen.collapse)
            && found.form != Some(GrowingPool) && found.form != Some(Vendor)
        {
            let flowed = seen.levels.iter().filter(|at| at.started >= at.streams && at.waiting + at.lost == 0);
            let most = flowed.map(|level| level.streams).max().unwrap_or_default();
            prop_assert!(limit >= most, "{most}: {:?}", found);
        }
    }
}
