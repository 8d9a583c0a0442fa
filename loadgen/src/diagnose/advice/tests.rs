//! Advice for every kind and form, and what it is sure of.

mod numbers;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::diagnose::platform::{Known, KnownBy, find};
use crate::diagnose::seen::{Collapse, HEALTH, IdleStream, KEPT_CONNECTION, Stall, UNKNOWN_PATH, failed};
use crate::labs;
use crate::result::{DiagnosisForm as Form, DiagnosisKind as Kind, DiagnosisLevel, ProbeLevel, Quantiles};

/// A server that hangs with 64 streams: 40 flow, health checks time out, and a path that does not exist is fast.
fn seen() -> Seen {
    let fast = Quantiles { p50: 2.0, p90: 3.0, p99: 4.0, ..Quantiles::default() };
    let slow = Quantiles { p50: 4_000.0, p90: 4_000.0, p99: 4_000.0, ..Quantiles::default() };
    let health = ProbeLevel { sent: 160, answered: 48, timed_out: 112, failed: 0, latency_ms: slow };
    let unknown = ProbeLevel { sent: 160, answered: 160, timed_out: 0, failed: 0, latency_ms: fast };
    let level = DiagnosisLevel {
        streams: 64,
        started: 40,
        waiting: 24,
        probes: BTreeMap::from([(HEALTH.to_owned(), health), (UNKNOWN_PATH.to_owned(), unknown)]),
        ..DiagnosisLevel::default()
    };
    let idle = IdleStream {
        status: 200,
        first_chunk: Duration::from_millis(250),
        lasted: Duration::from_millis(3_750),
        chunks: 16,
        ..IdleStream::default()
    };
    Seen {
        idle,
        idle_probes: BTreeMap::from([(HEALTH.to_owned(), idle_probe(3.0)), (UNKNOWN_PATH.to_owned(), idle_probe(2.0))]),
        levels: vec![level],
        collapse: Some(Collapse { level: 0, served: vec![40; 21], ..Collapse::default() }),
        streams_max: 1_000,
        processors: Some(2),
        ..Seen::default()
    }
}

fn idle_probe(p50: f64) -> ProbeLevel {
    ProbeLevel {
        sent: 15,
        answered: 15,
        latency_ms: Quantiles { p50, ..Quantiles::default() },
        ..ProbeLevel::default()
    }
}

fn on(name: &str, by: KnownBy) -> Option<Known> {
    Some(Known { platforms: vec![find(name).unwrap()], by })
}

fn uvicorn() -> Option<Known> {
    on("fastapi", KnownBy::Header("server: uvicorn".to_owned()))
}

fn found(kind: Kind, form: Option<Form>, confidence: Confidence, limit: u64) -> Finding {
    Finding { limit: Some(limit), streams_at_collapse: Some(limit), ..Finding::new(kind, form, confidence) }
}

const EVERY: [(Kind, Option<Form>); 16] = [
    (Kind::ThreadPoolHeld, Some(Form::InnerPool)),
    (Kind::ThreadPoolHeld, Some(Form::WorkerPerRequest)),
    (Kind::ThreadPoolHeld, Some(Form::GrowingPool)),
    (Kind::ThreadPoolPerChunk, None),
    (Kind::EventLoopBlocked, None),
    (Kind::ConnectionLimit, None),
    (Kind::Cpu, None),
    (Kind::UpstreamLimit, Some(Form::ClientPool)),
    (Kind::UpstreamLimit, Some(Form::Http2Streams)),
    (Kind::UpstreamLimit, Some(Form::Vendor)),
    (Kind::NotStreaming, Some(Form::Compressed)),
    (Kind::NotStreaming, Some(Form::ProxyBuffers)),
    (Kind::NotStreaming, Some(Form::Collected)),
    (Kind::NotStreaming, None),
    (Kind::NoneFound, None),
    (Kind::Inconclusive, None),
];

fn sentences_of(text: &str) -> usize {
    text.matches(". ").count() + usize::from(text.ends_with('.'))
}

#[test]
fn every_kind_has_a_finding_of_at_most_three_sentences_and_advice() {
    for confidence in [Confidence::Low, Confidence::Medium, Confidence::High] {
        for (kind, form) in EVERY {
            for limit in [0, 1, 2, 40] {
                let advice = advise(&found(kind, form, confidence, limit), &seen());
                for text in [&advice.finding, &advice.advice] {
                    let bad = ["..", " .", "  ", "()", ";."].into_iter().find(|bad| text.contains(bad));
                    assert!(bad.is_none() && text.ends_with('.'), "{kind:?} {form:?} {limit}: {bad:?} in {text}");
                    assert!(text.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit()), "{text}");
                }
                assert!(sentences_of(&advice.finding) <= 3, "{kind:?} {form:?}: {}", advice.finding);
            }
        }
    }
}

#[test]
fn a_lab_that_is_named_exists() {
    let without = [Kind::ConnectionLimit, Kind::NoneFound, Kind::Inconclusive];
    for (kind, form) in EVERY {
        let lab = advise(&found(kind, form, Confidence::High, 40), &seen()).lab;
        assert_eq!(lab.is_none(), without.contains(&kind), "{kind:?}");
        assert!(lab.is_none_or(|lab| labs::find(&lab).is_ok()), "{kind:?}");
    }
}

#[test]
fn a_full_pool_of_fastapi_is_said_with_figures_number_setting_and_fix() {
    let mut seen = seen();
    seen.platform = uvicorn();
    let advice = advise(&found(Kind::ThreadPoolHeld, Some(Form::InnerPool), Confidence::Medium, 40), &seen);
    assert_eq!(
        advice.finding,
        "Each stream holds one of 40 threads of this server: 40 streams flow, and the others wait until one of them ends. \
         With 64 streams, 112 of 160 health checks had no answer in time (3 ms when idle), while requests for a path that \
         does not exist took 4 ms (p99). Users see a page that hangs without an error, and a health check that fails on an \
         idle processor."
    );
    for part in [
        "40 is the default of FastAPI or Starlette (header `server: uvicorn`): threads of anyio's pool",
        "total_tokens",
        "With 40 threads and streams of, for example, 20 s each, 2 streams a second is the most that this serves",
        "twice as many serve 4",
        "AsyncOpenAI",
    ] {
        assert!(advice.advice.contains(part), "{part} is not in: {}", advice.advice);
    }
    assert_eq!((advice.confidence, advice.lab.as_deref()), (Confidence::High, Some("pool-exhaustion")));
    let default = advice.default.unwrap();
    assert_eq!((default.number, default.platform.as_str(), default.is_certain), (40, "fastapi", true));
}

#[test]
fn a_thread_that_is_held_for_a_part_is_not_said_to_be_held_by_a_stream() {
    let pool = Finding {
        streams_at_collapse: Some(120),
        ..found(Kind::ThreadPoolHeld, Some(Form::InnerPool), Confidence::Medium, 40)
    };
    let advice = advise(&pool, &seen());
    assert!(advice.finding.contains("one of 40 threads of this server for a part of its time"), "{}", advice.finding);
    assert!(!advice.advice.contains("streams a second"), "{}", advice.advice);
    let unknown = advise(&Finding { limit: None, ..pool }, &seen());
    assert!(unknown.finding.contains("one of the threads of a pool of this server for a part"), "{}", unknown.finding);
}

/// The same, with health checks that are as fast as when idle.
fn with_fast_checks() -> Seen {
    let mut seen = seen();
    let unknown = seen.levels[0].probes[UNKNOWN_PATH].clone();
    seen.levels[0].probes.insert(HEALTH.to_owned(), unknown);
    seen
}

#[test]
fn a_pool_whose_health_check_waits_too_is_not_said_to_have_green_checks() {
    let finding = found(Kind::UpstreamLimit, Some(Form::ClientPool), Confidence::High, 15);
    let (waits, fast) = (advise(&finding, &seen()), advise(&finding, &with_fast_checks()));
    assert!(waits.finding.contains("and so do health checks") && !waits.finding.contains("green"), "{}", waits.finding);
    assert!(fast.finding.contains("all health checks are green"), "{}", fast.finding);
    assert_eq!((waits.lab.as_deref(), fast.lab.as_deref()), (Some("db-held-during-call"), Some("client-pool")));
}

#[test]
fn what_waits_is_not_said_to_be_rejected_and_one_stream_is_not_several() {
    let mut seen = with_fast_checks();
    let one = advise(&found(Kind::ThreadPoolHeld, Some(Form::InnerPool), Confidence::High, 1), &seen).finding;
    assert!(
        one.starts_with("Each stream holds the only thread of this server: 1 stream flows, and the others"),
        "{one}"
    );
    let of = |form, limit, seen: &Seen| {
        advise(&found(Kind::UpstreamLimit, Some(form), Confidence::High, limit), seen).finding
    };
    assert!(of(Form::ClientPool, 1, &seen).starts_with("1 stream at once is served, and the others wait"));
    assert!(of(Form::ClientPool, 7, &seen).starts_with("7 streams at once are served, and the others wait"));
    assert!(
        of(Form::Vendor, 10, &seen).starts_with("10 streams at once are served, and the others wait for the vendor")
    );
    seen.collapse = seen.collapse.map(|collapse| Collapse { rejected: BTreeMap::from([(503, 6)]), ..collapse });
    let waits = of(Form::Vendor, 10, &seen);
    assert!(waits.contains("some more wait for a place, and the rest are rejected (503: 6)"), "{waits}");
    seen.levels[0].waiting = 0;
    let rejected = of(Form::Vendor, 10, &seen);
    assert!(rejected.starts_with("More than 10 streams at once are rejected (503: 6)"), "{rejected}");
}

#[test]
fn a_processor_that_one_stream_keeps_busy_is_not_said_to_serve_one() {
    let of = |seen: &Seen| advise(&found(Kind::Cpu, None, Confidence::High, 1), seen).finding;
    assert!(of(&Seen::default()).contains("one stream alone keeps it busy"), "{}", of(&Seen::default()));
}

#[test]
fn a_loop_that_is_blocked_for_moments_is_said_to_limit_all_streams_together() {
    let mut seen = with_fast_checks();
    let of = |seen: &Seen| advise(&found(Kind::EventLoopBlocked, None, Confidence::High, 43), seen).finding;
    assert!(of(&seen).contains("no more than 43 streams make progress at a time"), "{}", of(&seen));
    (seen.levels[0].started, seen.levels[0].waiting) = (64, 0);
    assert!(of(&seen).contains("more than 43 streams hold each other up"), "{}", of(&seen));
    seen.levels[0].pace = Some(1.0);
    assert!(of(&seen).contains("all streams together get no more chunks than 43 would"), "{}", of(&seen));
}

#[test]
fn what_ends_at_a_429_asks_for_another_key_and_short_streams_for_longer_ones() {
    let mut seen = seen();
    let mut finding = Finding::new(Kind::Inconclusive, None, Confidence::Low);
    finding.surer_with = Some("--pid PID of the server, for its threads and its processor time");
    seen.collapse = seen.collapse.map(|collapse| Collapse { rejected: BTreeMap::from([(429, 30)]), ..collapse });
    seen.idle.ended = true;
    seen.idle.lasted = Duration::from_millis(900);
    let advice = advise(&finding, &seen);
    for part in ["--api-key", "--body", "--pid", "--async-health-path", "--platform NAME", "--budget 2m"] {
        assert_eq!(advice.advice.matches(part).count(), 1, "{part} in: {}", advice.advice);
    }
    assert!(advice.lab.is_none() && advice.default.is_none());
}

#[test]
fn no_limit_says_what_was_tried_and_how_to_try_more() {
    let mut seen = seen();
    seen.collapse = None;
    seen.levels[0] = DiagnosisLevel { started: 64, waiting: 0, ..seen.levels[0].clone() };
    let advice = advise(&Finding::new(Kind::NoneFound, None, Confidence::High), &seen);
    assert!(
        advice.finding.starts_with("No limit was found up to 64 streams: all of them flowed"),
        "{}",
        advice.finding
    );
    assert!(advice.advice.contains("a longer --budget: it ended at 64 streams"), "{}", advice.advice);
    seen.streams_max = 64;
    let advice = advise(&Finding::new(Kind::NoneFound, None, Confidence::High), &seen);
    assert!(advice.advice.contains("--max-streams 256 for more than 64 streams"), "{}", advice.advice);
}

#[test]
fn what_does_not_stream_names_the_layer() {
    let mut seen = Seen { collapse: None, levels: Vec::new(), ..seen() };
    seen.idle.headers.insert("server".to_owned(), "nginx/1.24.0".to_owned());
    seen.platform = on("nginx", KnownBy::Header("server: nginx/1.24.0".to_owned()));
    let buffered = advise(&Finding::new(Kind::NotStreaming, Some(Form::ProxyBuffers), Confidence::Medium), &seen);
    assert!(buffered.finding.starts_with("Most likely a proxy in front of the server (`server: nginx/1.24.0`)"));
    assert!(buffered.advice.contains("X-Accel-Buffering: no"), "{}", buffered.advice);
    seen.platform = on("django", KnownBy::Flag);
    let collected = advise(&Finding::new(Kind::NotStreaming, Some(Form::Collected), Confidence::High), &seen);
    assert!(collected.advice.contains("must consume synchronous iterators"), "{}", collected.advice);
}

#[test]
fn a_loop_that_stands_now_and_then_is_said_with_its_stalls() {
    let stall = |millis| Stall { streams: 8, length: Duration::from_millis(millis) };
    let seen = Seen { collapse: None, stalls: vec![stall(600), stall(480), stall(500)], ..seen() };
    let advice = advise(&Finding::new(Kind::EventLoopBlocked, None, Confidence::High), &seen);
    assert!(advice.finding.contains("It happened 3 times, for up to 600 ms"), "{}", advice.finding);
    assert_eq!(advice.lab.as_deref(), Some("coordinated-omission"));
}

#[test]
fn connections_that_are_closed_at_once_are_not_said_to_get_no_answer() {
    let mut seen = seen();
    let kept = seen.levels[0].probes[UNKNOWN_PATH].clone();
    seen.levels[0].probes.insert(KEPT_CONNECTION.to_owned(), kept);
    let of = |seen: &Seen| advise(&found(Kind::ConnectionLimit, None, Confidence::High, 20), seen).finding;
    assert!(of(&seen).contains("new ones get no answer, while one that was open before is served"), "{}", of(&seen));
    for name in [HEALTH, UNKNOWN_PATH, KEPT_CONNECTION] {
        seen.levels[0].probes.insert(name.to_owned(), failed());
    }
    assert!(
        of(&seen).contains("new ones are closed at once. With 64 streams, 50 of 50 health checks failed"),
        "{}",
        of(&seen)
    );
    assert!(!of(&seen).contains("no answer in time") && !of(&seen).contains("open before"), "{}", of(&seen));
}
