//! Signatures of limits at which streams wait or are lost.

use super::*;
use crate::diagnose::rule::find;
use crate::diagnose::seen::{answered, failed, hung, probes};

fn held(started: u64, waiting: u64, lost: u64) -> DiagnosisLevel {
    let fast = || answered(1.0, 2.0);
    DiagnosisLevel {
        streams: 16,
        started,
        waiting,
        lost,
        chunks_per_second: 5.0 * started as f64,
        pace: Some(5.0),
        probes: probes(fast(), fast(), fast()),
        cpu_cores: Some(0.02),
        threads: Some(5),
        ..DiagnosisLevel::default()
    }
}

#[test]
fn connections_that_are_closed_at_once_while_streams_flow_are_a_limit_of_connections() {
    let failures = [("closed before an answer".to_owned(), 6)].into();
    let collapse = Collapse { served: vec![15; 20], failed: failures, slowest_loss_ms: 0.5, ..Collapse::default() };
    // The connection that was kept is closed as well by some: nginx takes that of a client that waits.
    let level = DiagnosisLevel { probes: probes(failed(), failed(), failed()), ..held(15, 0, 6) };
    let found = find(&Seen::sample(level.clone(), collapse.clone()));
    assert_eq!((found.kind, found.confidence), (DiagnosisKind::ConnectionLimit, Confidence::High));
    // A queue in front of workers is full as well: one waits, and the others are closed.
    let queued = DiagnosisLevel { waiting: 1, ..level.clone() };
    assert_eq!(find(&Seen::sample(queued.clone(), collapse.clone())).confidence, Confidence::Low);
    let kept = DiagnosisLevel { probes: probes(failed(), failed(), answered(1.0, 2.0)), ..queued };
    assert_eq!(find(&Seen::sample(kept, collapse.clone())).confidence, Confidence::High);
    let ended = DiagnosisLevel { chunks_per_second: 0.0, ..level };
    assert_eq!(find(&Seen::sample(ended, collapse)).kind, DiagnosisKind::Inconclusive, "no stream flows either");
}

#[test]
fn descriptors_at_their_limit_are_one_of_connections_too() {
    let collapse = Collapse { served: [53, 37, 45, 40].repeat(5), ended: 28, begun: 28, ..Collapse::default() };
    let level = DiagnosisLevel { probes: probes(hung(), hung(), answered(1.0, 2.0)), ..held(45, 19, 0) };
    let at_limit = DiagnosisLevel { fds: Some(64), fds_of_fullest: Some(64), fds_limit: Some(64), ..level };
    assert_eq!(find(&Seen::sample(at_limit.clone(), collapse.clone())).kind, DiagnosisKind::ConnectionLimit);
    // Two processes with as many together as one of them may have.
    let shared = DiagnosisLevel { fds_of_fullest: Some(34), ..at_limit.clone() };
    assert_eq!(find(&Seen::sample(shared, collapse.clone())).kind, DiagnosisKind::Inconclusive);
    let with_more = DiagnosisLevel { fds_limit: Some(20_000), ..at_limit };
    assert_eq!(find(&Seen::sample(with_more, collapse)).kind, DiagnosisKind::Inconclusive);
}

#[test]
fn a_pool_that_grows_lets_one_stream_after_another_begin_although_none_ends() {
    let grown = DiagnosisLevel { threads: Some(20), probes: probes(hung(), hung(), hung()), ..held(16, 0, 0) };
    let served = [vec![12; 4], vec![13; 4], vec![14; 4], vec![15; 4], vec![16; 4]].concat();
    let grows = Collapse { served, begun: 4, ..Collapse::default() };
    let mut seen = Seen::sample(grown.clone(), grows);
    seen.levels[0].threads = Some(12);
    let found = find(&seen);
    assert_eq!((found.form, found.confidence), (Some(DiagnosisForm::GrowingPool), Confidence::High));
    let at_once = Collapse { served: [vec![12; 10], vec![16; 10]].concat(), begun: 4, ..Collapse::default() };
    assert_ne!(find(&Seen::sample(grown, at_once)).form, Some(DiagnosisForm::GrowingPool), "in one step");
}

#[test]
fn streams_that_wait_although_others_have_ended_wait_for_no_place() {
    let ends = |begun| Collapse { served: vec![10; 20], ended: 10, begun, ..Collapse::default() };
    assert_eq!(find(&Seen::sample(held(10, 6, 0), ends(0))).kind, DiagnosisKind::Inconclusive);
    let of_places = find(&Seen::sample(held(10, 6, 0), ends(10)));
    assert_eq!((of_places.kind, of_places.limit), (DiagnosisKind::UpstreamLimit, Some(10)));
}
