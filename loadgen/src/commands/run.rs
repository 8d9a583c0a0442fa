//! `loadgen run`

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::CommandError;
use super::observation::{Observation, PhaseWindow, RunDescription};
use super::outputs;
use super::preflight::{TrialStream, check_server, try_one_stream};
use super::target::{STREAM_PATH, probe_kinds, target};
use super::target_view::TargetView;
use super::warnings::{all_alike, warnings};
use crate::cli::RunArgs;
use crate::http::Endpoint;
use crate::lab::{BASELINE, LOADED};
use crate::live::{Plan, PlannedPhase};
use crate::measure::{ProbeKind, ProbePlan};
use crate::report::{self, Terminal};
use crate::result::{Outcome, RunResult, StreamStats};
use crate::traffic::{CHAT, Client, Exchange, ExpectedAnswer, LoadPlan, Request, RunningLoad, Schedule};
use crate::vendor::{LedgerWatch, WATCH_INTERVAL};
use crate::verdict::{self, Objective};

/// Default of `--concurrency`, from the original script.
const CONCURRENCY: u32 = 40;
/// The phase in which the streams are opened.
const RAMP: &str = "ramp";

pub(super) async fn execute(args: &RunArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let (endpoint, path) = target(&args.url, args.path.as_deref(), STREAM_PATH)?;
    let vendor = args.vendor.as_deref().map(Endpoint::parse).transpose()?;
    let schedule = schedule(args)?;
    let probes = ProbePlan { kinds: probe_kinds(&args.probes)?, rate: args.probe_rate, timeout: args.probe_timeout };
    check_objectives(&args.objectives, &probes.kinds)?;
    let streams_max = schedule.in_flight_max(args.stream_timeout).min(args.requests_max);
    check_server(&endpoint, &probes, streams_max, "--probe NAME=PATH").await?;

    let plan = load_plan(args, endpoint, path, schedule);
    let request = format!("{} {}", plan.exchange.request.method, plan.exchange.request.path);
    let trial = try_one_stream(&plan.exchange).await;
    let result = match trial {
        TrialStream::Rejected(streams) => rejected(args, &plan, probes, streams, &request).await,
        TrialStream::Failed(streams) => {
            let reason = all_alike(&streams, &request).unwrap_or_default();
            terminal.line(report::wrap("  Before any load:  ", &reason));
            apply_load(args, plan.clone(), probes, vendor, terminal).await?
        }
        TrialStream::Accepted => apply_load(args, plan.clone(), probes, vendor, terminal).await?,
    };
    let result = judged(args, &plan, result, &request);
    report::one_server(terminal, &result);
    outputs::write(&result, &args.outputs, terminal)?;
    Ok(result.verdict.exit_code())
}

/// Applies the load and returns the figures.
async fn apply_load(
    args: &RunArgs,
    plan: LoadPlan,
    probes: ProbePlan,
    vendor: Option<Endpoint>,
    terminal: &Terminal,
) -> Result<RunResult, CommandError> {
    let ledger_watch = match vendor {
        Some(vendor) => Some(LedgerWatch::start(vendor, WATCH_INTERVAL).await?),
        None => None,
    };
    let mut seen = Observation::begin(&plan.exchange.endpoint, probes, args.pid);
    let mut view = open_view(args, &plan, terminal);
    ledger_watch.iter().for_each(|watch| view.vendor(watch.latest()));
    view.head(&seen.probes);
    seen.pass(args.baseline, &mut view).await;

    let begun = seen.now();
    let full = begun + plan.schedule.ramp();
    view.phase(1, begun);
    view.load(plan.schedule.clone(), begun);
    let load = RunningLoad::start(plan, seen.streams.clone(), seen.lag.clone());
    seen.pass(args.duration, &mut view).await;
    load.stop();
    view.load_stops();
    let ended = seen.now();
    view.phase(2, ended);
    seen.last_probes(load.wait(args.drain), &mut view).await;
    load.disconnect().await;
    drop(view);

    let mut windows = vec![PhaseWindow::new(BASELINE, Duration::ZERO, begun)];
    if full > begun {
        windows.push(PhaseWindow::new(RAMP, begun, full));
    }
    windows.push(PhaseWindow::new(LOADED, full, ended));
    let vendor = match ledger_watch {
        Some(ledger_watch) => Some(ledger_watch.finish().await?),
        None => None,
    };
    let description =
        RunDescription { command: "run", parameters: parameters(args), windows, loaded: LOADED.to_owned(), vendor };
    Ok(seen.finish(description).await)
}

/// Shows the run: its baseline, its load, and what is awaited after it.
fn open_view<'a>(args: &RunArgs, plan: &LoadPlan, terminal: &'a Terminal) -> TargetView<'a> {
    let phase = |name: &str, title: String, takes| PlannedPhase { name: name.to_owned(), title, takes };
    let phases = [
        phase(BASELINE, "no load".to_owned(), args.baseline),
        phase(LOADED, plan.schedule.to_string(), args.duration),
        phase("end", "the last answers".to_owned(), args.drain),
    ];
    TargetView::open("run", &plan.exchange.endpoint, Plan::new(phases), !args.display.plain, terminal)
}

/// The result if the server rejects the request of the streams: a load would show nothing.
async fn rejected(
    args: &RunArgs,
    plan: &LoadPlan,
    probes: ProbePlan,
    streams: StreamStats,
    request: &str,
) -> RunResult {
    let seen = Observation::begin(&plan.exchange.endpoint, ProbePlan { kinds: Vec::new(), ..probes }, args.pid);
    let (parameters, windows) = (parameters(args), vec![PhaseWindow::new(BASELINE, Duration::ZERO, Duration::ZERO)]);
    let description = RunDescription { command: "run", parameters, windows, loaded: LOADED.to_owned(), vendor: None };
    let mut result = seen.finish(description).await;
    let alike = all_alike(&streams, request).unwrap_or_default();
    result.verdict.invalid_because = vec![
        alike,
        "the server rejects the request of the streams, so there was no load: check --path, --method, --header, --body"
            .to_owned(),
    ];
    if let Some(target) = &mut result.target {
        target.streams = streams;
    }
    result
}

fn judged(args: &RunArgs, plan: &LoadPlan, mut result: RunResult, request: &str) -> RunResult {
    if !result.verdict.invalid_because.is_empty() {
        return result;
    }
    let streams = result.target.as_ref().map(|target| target.streams.clone()).unwrap_or_default();
    let low = missing_pressure(plan, &streams);
    let (always, if_all_met) = if streams.lost() == 0 { (low, Vec::new()) } else { (Vec::new(), low) };
    result.verdict = verdict::of_run(&args.objectives, &result, always);
    if result.verdict.result == Outcome::Held && !if_all_met.is_empty() {
        result.verdict = verdict::of_run(&args.objectives, &result, if_all_met);
    }
    result.verdict.warnings = result.target.as_ref().map(|target| warnings(target, request)).unwrap_or_default();
    result
}

/// Why the server was not under the requested load. If streams were lost, the objectives should show that; this
/// applies if none of them does.
fn missing_pressure(plan: &LoadPlan, streams: &StreamStats) -> Vec<String> {
    let peak = streams.peak_active;
    match plan.schedule {
        _ if streams.requested > 0
            && streams.failed + streams.truncated == streams.requested
            && streams.chunks == 0 =>
        {
            vec!["the pressure was missing: no stream delivered anything".to_owned()]
        }
        Schedule::Concurrency { count, .. } if peak < u64::from(count).min(plan.requests_max) => {
            vec![format!("the pressure was missing: at most {peak} of {count} streams were open at once")]
        }
        _ => Vec::new(),
    }
}

fn schedule(args: &RunArgs) -> Result<Schedule, CommandError> {
    if args.rate.is_none() && args.ramp >= args.duration {
        return Err(CommandError::Usage(format!(
            "--ramp {:?} must be shorter than --duration {:?}",
            args.ramp, args.duration
        )));
    }
    Ok(match args.rate {
        Some(per_second) => Schedule::Rate { per_second, arrivals: args.arrivals },
        None => Schedule::Concurrency { count: args.concurrency.unwrap_or(CONCURRENCY), over: args.ramp },
    })
}

/// Finds objectives on unknown probes before the run.
fn check_objectives(objectives: &[Objective], kinds: &[ProbeKind]) -> Result<(), CommandError> {
    let names: Vec<_> = kinds.iter().map(|kind| kind.name.as_str()).collect();
    for objective in objectives {
        objective.probe(&names).map_err(|name| {
            let known = names.join(", ");
            CommandError::Usage(format!("--slo '{objective}': there is no probe named {name}; the probes are {known}"))
        })?;
    }
    Ok(())
}

fn load_plan(args: &RunArgs, endpoint: Endpoint, path: String, schedule: Schedule) -> LoadPlan {
    let answer = if args.whole_answers { ExpectedAnswer::Whole } else { ExpectedAnswer::Stream };
    let body = args.body.clone().unwrap_or_else(|| CHAT.to_owned());
    let request = Request { method: args.method.clone(), ..Request::post(path, body, answer) };
    let client = Client::default().disconnects_after_tokens(args.cancel_after);
    LoadPlan {
        requests_max: args.requests_max,
        disconnect_share: args.cancel_share,
        seed: args.seed,
        ..LoadPlan::new(
            Exchange { client, timeout: args.stream_timeout, ..Exchange::new(endpoint, with_headers(request, args)) },
            schedule,
        )
    }
}

/// A header may be given more than once; a content type replaces the default.
fn with_headers(mut request: Request, args: &RunArgs) -> Request {
    if args.headers.iter().any(|(name, _)| name == "content-type") {
        request.headers.clear();
    }
    request.headers.extend(args.headers.iter().cloned());
    request
}

fn parameters(args: &RunArgs) -> BTreeMap<String, Value> {
    let millis = |duration: Duration| json!(duration.as_millis());
    BTreeMap::from([
        ("url".into(), json!(args.url)),
        ("path".into(), json!(args.path)),
        ("whole_answers".into(), json!(args.whole_answers)),
        ("concurrency".into(), json!(if args.rate.is_none() { args.concurrency.or(Some(CONCURRENCY)) } else { None })),
        ("rate".into(), json!(args.rate)),
        ("duration_ms".into(), millis(args.duration)),
        ("ramp_ms".into(), millis(args.ramp)),
        ("cancel_share".into(), json!(args.cancel_share)),
        ("probes_per_second".into(), json!(args.probe_rate)),
        ("probe_timeout_ms".into(), millis(args.probe_timeout)),
        ("seed".into(), json!(args.seed)),
    ])
}
