//! `loadgen verify`

mod stages;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use self::stages::{Stage, stages};
use super::observation::{Observation, PhaseWindow, RunDescription};
use super::preflight::{TrialStream, check_server, try_one_stream};
use super::target::{STREAM_PATH, target};
use super::target_view::TargetView;
use super::warnings::all_alike;
use super::{CommandError, hint, outputs};
use crate::cli::VerifyArgs;
use crate::http::{Endpoint, KeepAliveConnection};
use crate::lab::{BASELINE, LOADED};
use crate::measure::{LagLog, ProbeKind, ProbePlan, Prober, StreamLog, check_once, closed_loop_stats, probe_stats};
use crate::report::{self, Terminal};
use crate::result::{Baseline, Outcome, ProbeStats, RunResult, StreamStats};
use crate::traffic::{CHAT, Exchange, ExpectedAnswer, LoadPlan, Request, RunningLoad, Schedule};
use crate::verdict::{self, VerifiedStage};

/// Checks of the idle server per second: more than later, so that a short disturbance does not change the
/// baseline.
const IDLE_RATE: f64 = 20.0;
const IDLE_FOR: Duration = Duration::from_secs(1);

/// Minimum time between two streams of a client: a server that answers at once must not get thousands of
/// requests per second.
const STREAM_PERIOD: Duration = Duration::from_millis(250);

/// The original script requires that the mean of 15 checks, sent one after another, is under 0.1 s, even if not
/// a single stream was open. This command sends the checks on a schedule, judges the slowest one and the
/// median (compared with the idle server), requires that the streams were open and flowing, and also tries
/// half and twice as many streams: a cost per stream shows only with more of them. With `--as-in-source` it
/// does what the script does, so that the two can be compared.
pub(super) async fn execute(args: &VerifyArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let (endpoint, path) = target(&args.url, args.path.as_deref(), STREAM_PATH)?;
    let stages = stages(args.streams, args.checks);
    let most = stages.iter().map(|stage| stage.streams).max().unwrap_or(0);
    check_server(&endpoint, &check_plan(args), u64::from(most), "--health-path").await?;
    let exchange = exchange(endpoint, path);
    let result = if args.as_in_source {
        as_in_source(args, exchange, terminal).await
    } else {
        on_schedule(args, &stages, exchange, terminal).await
    };
    report::one_server(terminal, &result);
    if result.verdict.result == Outcome::NotHeld {
        terminal.line(hint::to_diagnose(&args.url, args.path.as_deref(), &args.health_path));
    }
    if args.as_in_source {
        terminal.line(report::wrap(
            "  Not judged:  ",
            "whether checks or streams failed, and how late the slowest check was",
        ));
    }
    outputs::write(&result, &args.outputs, terminal)?;
    Ok(result.verdict.exit_code())
}

async fn on_schedule(args: &VerifyArgs, stages: &[Stage], exchange: Exchange, terminal: &Terminal) -> RunResult {
    let request = format!("{} {}", exchange.request.method, exchange.request.path);
    let trial = try_one_stream(&exchange).await;
    if let TrialStream::Failed(streams) | TrialStream::Rejected(streams) = &trial {
        let reason = all_alike(streams, &request).unwrap_or_default();
        terminal.line(report::wrap("  Before any load:  ", &reason));
    }
    if let TrialStream::Rejected(streams) = trial {
        let seen = Observation::begin(&exchange.endpoint, check_plan(args), None);
        return rejected(args, seen, streams, &request).await;
    }
    let idle = idle_checks(args, &exchange.endpoint).await;
    let mut seen = Observation::begin(&exchange.endpoint, check_plan(args), None);
    let mut view = TargetView::lines(&exchange.endpoint, terminal);
    view.head(&seen.probes);
    // Half an interval after the first check, so that no check is due while streams are being opened.
    seen.pass(args.interval / 2, &mut view).await;

    let begun = seen.now();
    let takes = |stage: &Stage| args.interval * stage.checks;
    let whole: Duration = stages.iter().map(takes).sum();
    let logs: Vec<_> = stages.iter().map(|_| Arc::new(StreamLog::part_of(seen.streams.clone()))).collect();
    let (mut from, mut open, mut windows) = (begun, 0, vec![PhaseWindow::new(BASELINE, Duration::ZERO, begun)]);
    let mut adding = Vec::new();
    for (stage, log) in stages.iter().zip(&logs) {
        let schedule = Schedule::concurrency(stage.streams - open);
        let plan = LoadPlan { period: STREAM_PERIOD, ..LoadPlan::new(exchange.clone(), schedule) };
        adding.push(start_after(from - begun, plan, log.clone(), seen.lag.clone()));
        windows.push(PhaseWindow::new(stage.name(), from, from + takes(stage)));
        (from, open) = (from + takes(stage), stage.streams);
    }
    let (loads, ()) = tokio::join!(join_all(adding), seen.pass(whole, &mut view));
    loads.iter().for_each(RunningLoad::stop);
    seen.last_probes(std::future::ready(()), &mut view).await;
    join_all(loads.iter().map(RunningLoad::disconnect)).await;
    let loaded = stages.iter().find(|stage| stage.streams == args.streams).map(Stage::name).unwrap_or_default();
    let streams = seen.streams_in(&windows);
    let mut result = seen.finish(description(args, windows, loaded, streams)).await;
    if let Some(target) = &mut result.target {
        target.baseline = Baseline::new(idle.clone());
        target.phases.iter_mut().take(1).for_each(|phase| phase.probes = idle.clone());
    }
    // A server with a limit may reject streams beyond the number in --streams.
    let rejected_streams = match (stages.last(), logs.last()) {
        (Some(last), Some(log)) if last.streams > args.streams => log.stats(whole).failures.get(TOO_MANY).copied(),
        _ => None,
    };
    result.verdict = judged(stages, &result, rejected_streams.unwrap_or(0), &request);
    result
}

/// How fast the idle server answers.
async fn idle_checks(args: &VerifyArgs, endpoint: &Endpoint) -> BTreeMap<String, ProbeStats> {
    let plan = ProbePlan { rate: IDLE_RATE, ..check_plan(args) };
    let (prober, logs) = Prober::start(Instant::now(), vec![(endpoint.clone(), plan)], Arc::default());
    sleep(IDLE_FOR).await;
    prober.finish().await;
    probe_stats(&logs.concat(), Duration::ZERO, Duration::MAX)
}

/// The cause of failure when a server rejects more streams.
const TOO_MANY: &str = "status 429";

/// Adds a load after `after`.
async fn start_after(after: Duration, plan: LoadPlan, log: Arc<StreamLog>, lag: Arc<LagLog>) -> RunningLoad {
    sleep(after).await;
    RunningLoad::start(plan, log, lag)
}

fn judged(stages: &[Stage], result: &RunResult, rejected_streams: u64, request: &str) -> verdict::Verdict {
    let stage = |stage: &Stage| VerifiedStage { streams: stage.streams, name: stage.name() };
    let stages: Vec<_> = stages.iter().map(stage).collect();
    let mut verdict = verdict::of_verify(&stages, result, rejected_streams);
    if let Some(target) = &result.target {
        verdict.warnings.extend(all_alike(&target.streams, request));
    }
    verdict
}

/// The result if the server rejects the request of the streams: nothing can be verified.
async fn rejected(args: &VerifyArgs, seen: Observation, streams: StreamStats, request: &str) -> RunResult {
    let windows = vec![PhaseWindow::new(BASELINE, Duration::ZERO, Duration::ZERO)];
    let invalid_because = vec![
        all_alike(&streams, request).unwrap_or_default(),
        "the server rejects the request of the streams, so there was no load: check --path".to_owned(),
    ];
    let mut result = seen.finish(description(args, windows, LOADED.to_owned(), streams)).await;
    result.verdict.invalid_because = invalid_because;
    result
}

/// The original script, step by step: each stream once, and checks until all streams have ended, each sent an
/// interval after the answer to the previous one.
async fn as_in_source(args: &VerifyArgs, exchange: Exchange, terminal: &Terminal) -> RunResult {
    let endpoint = exchange.endpoint.clone();
    let no_probes = ProbePlan { kinds: Vec::new(), ..check_plan(args) };
    let mut seen = Observation::begin(&endpoint, no_probes, None);
    let mut view = TargetView::lines(&endpoint, terminal);
    view.head(&seen.probes);
    let (origin, begun) = (Instant::now(), seen.now());
    let mut connection = KeepAliveConnection::new(endpoint);
    let plan = LoadPlan::new(exchange, Schedule::at_once(args.streams));
    let load = RunningLoad::start(plan, seen.streams.clone(), seen.lag.clone());
    let mut answers = Vec::new();
    for check in 0..args.checks {
        if check > 0 && seen.streams.active() == 0 {
            terminal.line("  all streams have ended");
            break;
        }
        answers.push(check_once(origin, &mut connection, &args.health_path, args.timeout).await);
        seen.pass(args.interval, &mut view).await;
    }
    let windows = vec![PhaseWindow::new(BASELINE, Duration::ZERO, begun), PhaseWindow::new(LOADED, begun, seen.now())];
    load.disconnect().await;
    let streams = seen.streams_in(&windows);
    let mut result = seen.finish(description(args, windows, LOADED.to_owned(), streams)).await;
    let stats = closed_loop_stats(answers.iter());
    result.verdict = verdict::as_in_source(&stats);
    if let Some(loaded) = result.target.as_mut().and_then(|target| target.phases.last_mut()) {
        loaded.closed_loop = Some(stats);
    }
    result
}

fn description(args: &VerifyArgs, windows: Vec<PhaseWindow>, loaded: String, streams: StreamStats) -> RunDescription {
    let parameters = parameters(args);
    RunDescription { command: "verify", parameters, windows, loaded, streams, targets: Vec::new(), vendor: None }
}

fn check_plan(args: &VerifyArgs) -> ProbePlan {
    let kinds = vec![ProbeKind::new(verdict::CHECK, &args.health_path)];
    ProbePlan { kinds, rate: 1.0 / args.interval.as_secs_f64(), timeout: args.timeout }
}

fn parameters(args: &VerifyArgs) -> BTreeMap<String, Value> {
    BTreeMap::from([
        ("url".into(), json!(args.url)),
        ("streams".into(), json!(args.streams)),
        ("checks".into(), json!(args.checks)),
        ("interval_ms".into(), json!(args.interval.as_millis())),
        ("probe_timeout_ms".into(), json!(args.timeout.as_millis())),
        ("as_in_source".into(), json!(args.as_in_source)),
    ])
}

fn exchange(endpoint: Endpoint, path: String) -> Exchange {
    // As in the original script.
    const TIMEOUT: Duration = Duration::from_secs(60);
    let request = Request::post(path, CHAT, ExpectedAnswer::Stream);
    Exchange { timeout: TIMEOUT, ..Exchange::new(endpoint, request) }
}
