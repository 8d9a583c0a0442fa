//! Every figure, from a result made by hand.

use std::collections::BTreeMap;

use wire::ledger::Ledger;

use super::*;
use crate::environment::environment;
use crate::result::{
    ArmResult, ClosedLoopStats, Generator, Level, MetricName, MetricStats, PerRequest, PhaseLedger, PhaseProcess,
    PhaseResult, ProbeStats, Quantile, Quantiles, ServerStop, StreamStats, VendorLoad, VendorStats,
};

const MS: Duration = Duration::from_millis(1);

fn counts(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
    of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn quantiles(p50: f64) -> Quantiles {
    Quantiles { p50, p90: 2.0 * p50, p99: 3.0 * p50, max: 4.0 * p50 }
}

fn level(start: u64, peak: u64, end: u64) -> Option<Level> {
    Some(Level { start, peak, end })
}

fn ledger() -> PhaseLedger {
    PhaseLedger {
        started: 13,
        retried: 3,
        completed: 9,
        cancelled: 2,
        refused: 4,
        unanswered: 1,
        by_status: counts(&[("200", 9), ("429", 4)]),
        connections: 5,
        tokens_after_disconnect: 7,
        prompt_tokens: 26,
        early: 6,
        starts_ms: Some(vec![0.0, 10.0, 100.0, 105.0]),
        retries_ms: Some(vec![0.0, 5.0]),
        attempts: Some(PerRequest::of([1, 1, 1, 9])),
        early_attempts: Some(PerRequest::of([0, 0, 0, 6])),
        ..PhaseLedger::default()
    }
}

/// One of several loads of calls.
fn users() -> StreamStats {
    StreamStats {
        requested: 8,
        completed: 2,
        completed_per_second: 0.5,
        failed: 5,
        disconnected: 1,
        by_status: counts(&[("200", 2), ("429", 5)]),
        with_retry_after: 5,
        latency_ms: quantiles(70.0),
        rejection_latency_ms: quantiles(1.0),
        ..StreamStats::default()
    }
}

fn phase() -> PhaseResult {
    let probe = ProbeStats {
        sent: 10,
        ok: 6,
        timed_out: 2,
        failed: 2,
        field_values: counts(&[("healthy", 4)]),
        latency_ms: quantiles(5.0),
        ..ProbeStats::default()
    };
    let streams = StreamStats {
        requested: 9,
        completed: 4,
        failed: 3,
        truncated: 1,
        disconnected: 1,
        failures: counts(&[("status 503", 3)]),
        by_status: counts(&[("503", 3)]),
        by_method: counts(&[("async", 4)]),
        errors_by_type: counts(&[("overloaded", 3)]),
        taken_as_complete: 2,
        chunks: 40,
        time_to_first_token_ms: quantiles(8.0),
        inter_token_ms: quantiles(6.0),
        texts: counts(&[("a", 3), ("b", 1)]),
        ..StreamStats::default()
    };
    PhaseResult {
        name: "loaded".into(),
        probes: [("health_sync".to_owned(), probe)].into(),
        closed_loop: Some(ClosedLoopStats { sent: 3, mean_ms: 1.5, latency_ms: quantiles(1.0), failed: 0 }),
        streams: Some(streams),
        calls: Some(StreamStats {
            requested: 5,
            completed: 4,
            latency_ms: quantiles(20.0),
            texts: counts(&[("b", 4)]),
            ..StreamStats::default()
        }),
        loads: [("users".to_owned(), users())].into(),
        vendor_peak_active: Some(40),
        vendor: Some(VendorStats { started: 11, cancelled: 2, tokens_sent: 77, active: 8, ..VendorStats::default() }),
        vendor_load: Some(VendorLoad { active_throughout: 6, failed: 3, ..VendorLoad::default() }),
        cpu_cores: Some(0.25),
        process: Some(PhaseProcess {
            rss_bytes: level(20_000_000, 90_000_000, 51_500_000),
            threads: level(6, 46, 45),
            fds: level(30, 90, 20),
        }),
        ledger: Some(ledger()),
        metrics: [("llm_retries_total".to_owned(), MetricStats { value: 12.0, increase: 8.0 })].into(),
        ..PhaseResult::default()
    }
}

/// One arm with that phase.
fn result() -> RunResult {
    let stop =
        ServerStop { signal: "SIGTERM".into(), signalled_ms: 10.0, alive_ms: 400.0, ended: true, exit_code: Some(0) };
    let attempts_by_request_id = counts(&[("a", 2), ("b", 1)]);
    let vendor = Ledger { started: 30, client_connections: 6, attempts_by_request_id, ..Ledger::default() };
    let arm = ArmResult { phases: vec![phase()], stop: Some(stop), vendor: Some(vendor), ..ArmResult::default() };
    let result = RunResult::new("lab", environment(), BTreeMap::new(), Generator::default());
    RunResult { arms: [("broken".to_owned(), arm)].into(), ..result }
}

fn here() -> Place {
    at("broken", "loaded")
}

/// Checks the figures as they are shown.
fn assert_shown(figures: impl IntoIterator<Item = (Figure, &'static str)>) {
    let result = result();
    for (figure, expected) in figures {
        let shown = figure.of(&result).map(|value| figure.unit().show(value));
        assert_eq!(shown.as_deref(), Some(expected), "{figure:?}");
        assert!(figure.was_tried(&result), "{figure:?}");
        assert_eq!(figure.arms(), ["broken"]);
    }
}

#[test]
fn figures_of_probes_streams_and_calls() {
    let stream = |what| here().streams(what);
    assert_shown([
        (here().p50("health_sync"), "5 ms"),
        (here().p99("health_sync"), "15 ms"),
        (here().slowest("health_sync"), "20 ms"),
        (here().probe("health_sync", ProbeFigure::TimedOut), "2 probes"),
        (here().probe("health_sync", ProbeFigure::TimedOutShare), "20 %"),
        (here().probe("health_sync", ProbeFigure::AnsweredShare), "60 %"),
        (here().probe("health_sync", ProbeFigure::FieldIs("healthy")), "40 %"),
        (here().closed_loop(ClosedLoopFigure::Mean), "1.5 ms"),
        (here().closed_loop(ClosedLoopFigure::Latency(Quantile::Max)), "4 ms"),
        (stream(RequestFigure::Completed), "4 streams"),
        (stream(RequestFigure::Lost), "4 streams"),
        (stream(RequestFigure::Truncated), "1 stream"),
        (stream(RequestFigure::Failure("status 503")), "3 streams"),
        (stream(RequestFigure::Status(503)), "3 streams"),
        (stream(RequestFigure::Method("async")), "4 streams"),
        (stream(RequestFigure::Requested), "9 streams"),
        (stream(RequestFigure::ErrorType("overloaded")), "3 streams"),
        (stream(RequestFigure::TakenAsComplete), "2 streams"),
        (stream(RequestFigure::FirstToken(Quantile::P50)), "8 ms"),
        (stream(RequestFigure::TokenGap(Quantile::P50)), "6 ms"),
        (stream(RequestFigure::TextsAsIn("broken")), "3 streams"),
        (stream(RequestFigure::TextsAsWhole), "1 stream"),
        (whole_run("broken").calls(RequestFigure::Completed), "4 calls"),
        (whole_run("broken").streams(RequestFigure::Completed), "4 streams"),
        (here().calls(RequestFigure::Completed), "4 calls"),
        (here().calls(RequestFigure::Latency(Quantile::P90)), "40 ms"),
    ]);
}

#[test]
fn figures_of_one_load() {
    let users = |what| here().load("users").calls(what);
    assert_shown([
        (users(RequestFigure::Requested), "8 calls"),
        (users(RequestFigure::Completed), "2 calls"),
        (users(RequestFigure::CompletedPerSecond), "0.50 calls/s"),
        (users(RequestFigure::Status(429)), "5 calls"),
        (users(RequestFigure::Disconnected), "1 call"),
        (users(RequestFigure::WithRetryAfter(429)), "100 %"),
        (users(RequestFigure::Latency(Quantile::P50)), "70 ms"),
        (users(RequestFigure::RejectionLatency(Quantile::P99)), "3 ms"),
    ]);
    assert_eq!(here().load("jobs").calls(RequestFigure::Completed).of(&result()), None, "there is no such load");
    let rejections = here().calls(RequestFigure::RejectionLatency(Quantile::P50));
    assert_eq!(rejections.of(&result()), None, "no call was rejected");
}

#[test]
fn figures_of_the_vendor() {
    let ledger = |what| here().ledger(what);
    let attempts = |what| ledger(LedgerFigure::AttemptsPerRequest(what));
    assert_shown([
        (here().vendor(VendorFigure::PeakActive), "40 calls"),
        (here().vendor(VendorFigure::Started), "11 calls"),
        (here().vendor(VendorFigure::TokensSent), "77 tokens"),
        (here().vendor(VendorFigure::ActiveThroughout), "6 calls"),
        (here().vendor(VendorFigure::Failed), "3 calls"),
        (ledger(LedgerFigure::Started), "13 calls"),
        (ledger(LedgerFigure::Retried), "3 retries"),
        (ledger(LedgerFigure::Status(429)), "4 calls"),
        (ledger(LedgerFigure::Status(500)), "0 calls"),
        (ledger(LedgerFigure::Connections), "5 connections"),
        (ledger(LedgerFigure::TokensAfterDisconnect), "7 tokens"),
        (ledger(LedgerFigure::Early), "6 calls"),
        (ledger(LedgerFigure::MostStartsWithin(96 * MS)), "3 starts"),
        (ledger(LedgerFigure::MostRetriesWithin(5 * MS)), "1 retry"),
        (attempts(PerRequestFigure::At(Quantile::Max)), "9 attempts"),
        (attempts(PerRequestFigure::At(Quantile::P50)), "1 attempt"),
        (attempts(PerRequestFigure::Least), "1 attempt"),
        (attempts(PerRequestFigure::Mean), "3 attempts"),
        (attempts(PerRequestFigure::Over(1)), "1 request"),
        (ledger(LedgerFigure::EarlyPerRequest(PerRequestFigure::Mean)), "1.5 attempts"),
        (whole_run("broken").ledger(LedgerFigure::Started), "30 calls"),
        (whole_run("broken").ledger(LedgerFigure::Connections), "6 connections"),
        (whole_run("broken").ledger(LedgerFigure::AttemptsPerRequest(PerRequestFigure::Mean)), "1.5 attempts"),
    ]);
}

#[test]
fn figures_of_the_server() {
    let retries = || MetricName::new("llm_retries_total");
    assert_shown([
        (here().cpu_cores(), "25 % CPU"),
        (here().process(ProcessFigure::Memory(LevelFigure::Start)), "20 MB"),
        (here().process(ProcessFigure::Memory(LevelFigure::Peak)), "90 MB"),
        (here().process(ProcessFigure::Memory(LevelFigure::Growth)), "31.5 MB"),
        (here().process(ProcessFigure::Threads(LevelFigure::End)), "45 threads"),
        (here().process(ProcessFigure::Descriptors(LevelFigure::Growth)), "-10 descriptors"),
        (here().metric(retries(), MetricFigure::Value), "12"),
        (here().metric(retries(), MetricFigure::Increase), "8"),
        (here().stop(StopFigure::Alive), "400 ms"),
        (here().stop(StopFigure::ExitCode), "0"),
    ]);
}

#[test]
fn figures_are_combined() {
    let (p50, p99) = (|| here().p50("health_sync"), || here().p99("health_sync"));
    assert_shown([
        (p99().over(p50()), "3 times"),
        (p99().both(p50()), "5 ms"),
        (p50().in_units_of(10 * MS, "gaps"), "5 ms"),
    ]);
    let result = result();
    assert_eq!(p50().in_units_of(10 * MS, "gaps").of(&result), Some(0.5), "the value is in that unit");
    assert_eq!(p99().over(here().cpu_cores()).latency_ms(&result), Some(15.0));
    assert_eq!(here().cpu_cores().over(p99()).latency_ms(&result), None);
    assert_eq!(p99().over(at("broken", "idle").cpu_cores()).phases(), ["loaded", "idle"]);
}

#[test]
fn what_was_not_measured_has_no_value() {
    let mut result = result();
    let phase = &mut result.arms.get_mut("broken").expect("it has one").phases[0];
    phase.probes.entry("health_sync".into()).and_modify(|stats| (stats.ok, stats.timed_out, stats.failed) = (0, 0, 10));
    phase.calls = Some(StreamStats { requested: 5, failed: 5, ..StreamStats::default() });
    phase.ledger = Some(PhaseLedger { starts_ms: None, attempts: None, ..ledger() });
    let attempts = LedgerFigure::AttemptsPerRequest(PerRequestFigure::Mean);
    for (figure, was_tried) in [
        (here().p99("health_sync"), true),
        (here().calls(RequestFigure::Latency(Quantile::P50)), true),
        (here().p99("no such probe"), false),
        (at("fixed", "loaded").p99("health_sync"), false),
        (here().ledger(LedgerFigure::MostStartsWithin(MS)), false),
        (here().ledger(attempts), false),
        (here().metric(MetricName::new("llm_calls_total"), MetricFigure::Value), false),
    ] {
        assert_eq!((figure.of(&result), figure.was_tried(&result)), (None, was_tried), "{figure:?}");
    }
}

#[test]
fn a_figure_names_the_metric_that_must_be_read() {
    let name = || MetricName::new("llm_errors_total").with("type", "overloaded");
    let ratio = here().metric(name(), MetricFigure::Increase).over(here().cpu_cores());
    let named: Vec<_> = ratio.measured().iter().filter_map(|(_, source)| source.metric().cloned()).collect();
    assert_eq!(named, [name()]);
}
