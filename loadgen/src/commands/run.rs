//! `loadgen run`

mod judged;
mod logs;
mod plan;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use self::judged::judged;
use self::logs::Logs;
use self::plan::{RunPlan, run_plan};
use super::CommandError;
use super::observation::{Observation, PhaseWindow, RunDescription};
use super::outputs;
use super::preflight::{TrialStream, check_server, try_one_stream};
use super::target_view::TargetView;
use super::warnings::all_alike;
use crate::cli::RunArgs;
use crate::http::Endpoint;
use crate::lab::{BASELINE, LOADED};
use crate::live::{Plan, PlannedPhase};
use crate::measure::ProbePlan;
use crate::report::{self, Terminal};
use crate::result::{RunResult, StreamStats};
use crate::traffic::Exchange;
use crate::vendor::{LedgerWatch, WATCH_INTERVAL};

/// The phase in which the streams are opened, or the rate rises.
const RAMP: &str = "ramp";
/// The phase after it that is left out of the figures.
const WARM_UP: &str = "warm-up";

pub(super) async fn execute(args: &RunArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let vendor = args.vendor.as_deref().map(Endpoint::parse).transpose()?;
    let plan = run_plan(args)?;
    // One server may get all that is open, and each of the others may hold its probes.
    let others = plan.endpoints.len().saturating_sub(1) as u64;
    let held = plan.open_max() + others * plan.probes.waiting_max();
    for endpoint in &plan.endpoints {
        check_server(endpoint, &plan.probes, held, "--probe NAME=PATH").await?;
    }
    let result = match try_each(&plan).await {
        (endpoint, TrialStream::Rejected(streams)) => rejected(args, &plan, endpoint, streams).await,
        (endpoint, TrialStream::Failed(streams)) => {
            let reason = all_alike(&streams, &plan.request_to(endpoint)).unwrap_or_default();
            terminal.line(report::wrap("  Before any load:  ", &reason));
            apply_load(args, &plan, vendor, terminal).await?
        }
        (_, TrialStream::Accepted) => apply_load(args, &plan, vendor, terminal).await?,
    };
    let result = judged(&plan, result);
    report::one_server(terminal, &result);
    outputs::write(&result, &args.outputs, terminal)?;
    Ok(result.verdict.exit_code())
}

/// Tries one stream of each server, until one of them rejects it. The first that does, else the first that fails it.
async fn try_each(plan: &RunPlan) -> (&Endpoint, TrialStream) {
    let mut worst = (&plan.load.exchange.endpoint, TrialStream::Accepted);
    for endpoint in &plan.endpoints {
        let exchange = Exchange { endpoint: endpoint.clone(), ..plan.load.exchange.clone() };
        match (try_one_stream(&exchange).await, &worst.1) {
            (rejected @ TrialStream::Rejected(_), _) => return (endpoint, rejected),
            (failed @ TrialStream::Failed(_), TrialStream::Accepted) => worst = (endpoint, failed),
            _ => {}
        }
    }
    worst
}

/// Applies the load and returns the figures.
async fn apply_load(
    args: &RunArgs,
    plan: &RunPlan,
    vendor: Option<Endpoint>,
    terminal: &Terminal,
) -> Result<RunResult, CommandError> {
    let ledger_watch = match vendor {
        Some(vendor) => Some(LedgerWatch::start(vendor, WATCH_INTERVAL).await?),
        None => None,
    };
    let mut seen = Observation::begin_several(&plan.endpoints, &plan.probes, args.pid);
    let mut view = open_view(args, plan, terminal);
    ledger_watch.iter().for_each(|watch| view.vendor(watch.latest()));
    view.head(&seen.probes);
    seen.pass(args.baseline, &mut view).await;

    let begun = seen.now();
    view.phase(1, begun);
    view.load(plan.load.schedule.clone(), begun, seen.streams.clone());
    let logs = Logs::of(plan, &seen);
    let load = logs.start(plan, &seen);
    seen.pass_until(load.wait(plan.measured_after()), &mut view).await;
    if !plan.warm_up.is_zero() {
        seen.streams.restart_peak();
    }
    seen.pass_until(load.wait(plan.duration - plan.measured_after()), &mut view).await;
    load.stop();
    view.load_stops();
    let ended = seen.now();
    view.phase(2, ended);
    seen.last_probes(load.wait(args.drain), &mut view).await;
    load.disconnect().await;
    drop(view);

    let vendor = match ledger_watch {
        Some(ledger_watch) => Some(ledger_watch.finish().await?),
        None => None,
    };
    let windows = windows(plan, begun, ended);
    let measured = windows.last().map_or(Duration::ZERO, |window| window.to - window.from);
    let counted_for = if plan.warm_up.is_zero() { ended - begun } else { measured };
    let streams =
        StreamStats { peak_active: seen.streams.peak_active(), ..logs.measured.stats_with_histograms(counted_for) };
    let targets = logs.targets(&seen, windows.last(), counted_for);
    let description = RunDescription {
        command: "run",
        parameters: parameters(args, plan),
        windows,
        loaded: LOADED.to_owned(),
        streams,
        targets,
        vendor,
    };
    Ok(seen.finish(description).await)
}

/// The parts of a run whose load began at `begun` and ended at `ended`. One that ended early, with the last of its
/// requests, may have no time after its ramp: then all of it is measured.
fn windows(plan: &RunPlan, begun: Duration, ended: Duration) -> Vec<PhaseWindow> {
    let mut windows = vec![PhaseWindow::new(BASELINE, Duration::ZERO, begun)];
    let (full, measured) = (begun + plan.load.schedule.ramp(), begun + plan.measured_after());
    if measured >= ended {
        windows.push(PhaseWindow::new(LOADED, begun, ended));
        return windows;
    }
    if full > begun {
        windows.push(PhaseWindow::new(RAMP, begun, full));
    }
    if measured > full {
        windows.push(PhaseWindow::new(WARM_UP, full, measured));
    }
    windows.push(PhaseWindow::new(LOADED, measured, ended));
    windows
}

/// Shows the run: its baseline, its load, and what is awaited after it.
fn open_view<'a>(args: &RunArgs, plan: &RunPlan, terminal: &'a Terminal) -> TargetView<'a> {
    let phase = |name: &str, title: String, takes| PlannedPhase { name: name.to_owned(), title, takes };
    let phases = [
        phase(BASELINE, "no load".to_owned(), args.baseline),
        phase(LOADED, plan.load.schedule.to_string(), plan.duration),
        phase("end", "the last answers".to_owned(), args.drain),
    ];
    let plan_shown = Plan::new(phases);
    let view = TargetView::open("run", &plan.load.exchange.endpoint, plan_shown, !args.display.plain, terminal);
    view.of_servers(&plan.endpoints).of_requests(args.requests, plan.duration)
}

/// The result if the server at `endpoint` rejects the request of the streams: a load would show nothing.
async fn rejected(args: &RunArgs, plan: &RunPlan, endpoint: &Endpoint, streams: StreamStats) -> RunResult {
    let no_probes = ProbePlan { kinds: Vec::new(), ..plan.probes.clone() };
    let seen = Observation::begin(endpoint, no_probes, args.pid);
    let who = if plan.endpoints.len() > 1 { endpoint.to_string() } else { "the server".to_owned() };
    let invalid_because = vec![
        all_alike(&streams, &plan.request_to(endpoint)).unwrap_or_default(),
        format!(
            "{who} rejects the request of the {}, so there was no load: check --path, --method, --header, --body",
            plan.requests_word()
        ),
    ];
    let description = RunDescription {
        command: "run",
        parameters: parameters(args, plan),
        windows: vec![PhaseWindow::new(BASELINE, Duration::ZERO, Duration::ZERO)],
        loaded: LOADED.to_owned(),
        streams,
        targets: Vec::new(),
        vendor: None,
    };
    let mut result = seen.finish(description).await;
    result.verdict.invalid_because = invalid_because;
    result
}

fn parameters(args: &RunArgs, plan: &RunPlan) -> BTreeMap<String, Value> {
    let millis = |duration: Duration| json!(duration.as_millis());
    let load = &plan.load;
    BTreeMap::from([
        ("url".into(), json!(args.urls[0])),
        ("urls".into(), json!(args.urls)),
        ("path".into(), json!(args.path)),
        ("method".into(), json!(args.method)),
        ("body".into(), json!(args.body)),
        ("body_file".into(), json!(args.body_file)),
        ("whole_answers".into(), json!(args.whole_answers)),
        ("format".into(), json!(args.format.name())),
        ("concurrency".into(), json!(plan.concurrency())),
        ("rate".into(), json!(args.rate)),
        ("arrivals".into(), json!(args.rate.map(|_| args.arrivals.name()))),
        ("max_in_flight".into(), json!(load.in_flight_max)),
        ("requests".into(), json!(args.requests)),
        ("duration_ms".into(), millis(plan.duration)),
        ("ramp_ms".into(), millis(load.schedule.ramp())),
        ("warmup_ms".into(), millis(plan.warm_up)),
        ("stream_timeout_ms".into(), millis(args.stream_timeout)),
        ("cancel_share".into(), json!(args.cancel_share)),
        ("cancel_after".into(), json!(args.cancel_after)),
        ("probes".into(), plan.probes.kinds.iter().map(|kind| json!(format!("{}={}", kind.name, kind.path))).collect()),
        ("probes_per_second".into(), json!(args.probe_rate)),
        ("probe_timeout_ms".into(), millis(args.probe_timeout)),
        ("objectives".into(), plan.objectives.iter().map(|objective| json!(objective.to_string())).collect()),
        ("seed".into(), json!(args.seed)),
    ])
}
