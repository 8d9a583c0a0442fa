use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::CommandError;
use super::single::{LoadTimes, Observation, pass, write_out};
use crate::cli::VerifyArgs;
use crate::http::{Endpoint, KeptConnection};
use crate::measure::{ProbeKind, ProbePlan, ask_once, closed_loop_stats};
use crate::report::{self, Terminal};
use crate::result::RunResult;
use crate::traffic::{Crowd, LoadShape, StreamPlan};
use crate::verdict::{self, Objective};

/// Checks of the idle server, before the streams.
const CHECKS_BEFORE: u32 = 2;

/// The source's validation asks whether the mean of 15 checks is under 0.1 s, one after the other,
/// whether or not there was a single stream. This one sends the checks on a schedule, judges the
/// slowest, and wants proof that the streams were open and flowing meanwhile. With `--as-in-source` it
/// does what the source does, so that the two can be compared.
pub(super) async fn execute(args: &VerifyArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let endpoint = Endpoint::parse(&args.url)?;
    let result = if args.as_in_source {
        as_in_source(args, endpoint, terminal).await?
    } else {
        on_schedule(args, endpoint, terminal).await?
    };
    terminal.line("");
    report::single(terminal, &result);
    terminal.line("");
    report::verdict(terminal, &result.verdict);
    if args.as_in_source {
        terminal.line(report::wrap(
            "  Not asked:   ",
            "whether a check or a stream failed, and how late the slowest check was",
        ));
    }
    if let Some(path) = &args.out {
        write_out(&result, path, terminal)?;
    }
    Ok(result.verdict.exit_code())
}

async fn on_schedule(args: &VerifyArgs, endpoint: Endpoint, terminal: &Terminal) -> Result<RunResult, CommandError> {
    let kind = ProbeKind::new("health_sync", &args.health_path);
    let plan = ProbePlan { kinds: vec![kind], rate: 1.0 / args.interval.as_secs_f64(), timeout: args.timeout };
    let seen = Observation::begin(&endpoint, plan, None, u64::from(args.streams)).await?;
    report::heading_of_one(terminal, &endpoint.to_string(), &seen.probes);
    // Half an interval later, so that no check is due while the streams are being opened.
    pass(&seen, args.interval * CHECKS_BEFORE - args.interval / 2, terminal).await;

    let begun = seen.now();
    let mut crowd = Crowd::new(stream_plan(args, endpoint), seen.streams.clone(), seen.lag.clone(), 1);
    let checking = args.interval * args.checks;
    let shape = LoadShape::Concurrency { streams: args.streams, ramp: Duration::ZERO };
    let ((), ()) = tokio::join!(crowd.keep(shape, checking, u64::MAX), pass(&seen, checking, terminal));
    let times = LoadTimes { begun, full: begun, ended: seen.now() };
    crowd.leave().await;
    let mut result = seen.finish("verify", parameters(args), times, None).await?;
    result.verdict = verdict::of_run(&objectives()?, &result, missing_pressure(args, &result));
    Ok(result)
}

/// The source's script, step by step: each stream once, and checks until all streams have ended, each
/// begun a while after the answer to the one before it.
async fn as_in_source(args: &VerifyArgs, endpoint: Endpoint, terminal: &Terminal) -> Result<RunResult, CommandError> {
    let no_probes = ProbePlan { kinds: Vec::new(), rate: 1.0, timeout: args.timeout };
    let seen = Observation::begin(&endpoint, no_probes, None, u64::from(args.streams)).await?;
    report::heading_of_one(terminal, &endpoint.to_string(), &seen.probes);
    let (origin, begun) = (Instant::now(), seen.now());
    let mut connection = KeptConnection::new(endpoint.clone());
    let mut crowd = Crowd::new(stream_plan(args, endpoint), seen.streams.clone(), seen.lag.clone(), 1);
    crowd.open(args.streams, Duration::ZERO);
    let mut answers = Vec::new();
    for check in 0..args.checks {
        if check > 0 && seen.streams.active() == 0 {
            terminal.line("  all streams have ended");
            break;
        }
        answers.push(ask_once(origin, &mut connection, &args.health_path, args.timeout).await);
        pass(&seen, args.interval, terminal).await;
    }
    let times = LoadTimes { begun, full: begun, ended: seen.now() };
    crowd.leave().await;
    let mut result = seen.finish("verify", parameters(args), times, None).await?;
    let stats = closed_loop_stats(answers.iter());
    result.verdict = verdict::as_in_source(&stats);
    if let Some(loaded) = result.target.as_mut().and_then(|target| target.phases.last_mut()) {
        loaded.closed_loop = Some(stats);
    }
    Ok(result)
}

fn parameters(args: &VerifyArgs) -> BTreeMap<String, Value> {
    BTreeMap::from([
        ("url".into(), json!(args.url)),
        ("streams".into(), json!(args.streams)),
        ("checks".into(), json!(args.checks)),
        ("interval_ms".into(), json!(args.interval.as_millis())),
        ("as_in_source".into(), json!(args.as_in_source)),
    ])
}

fn objectives() -> Result<Vec<Objective>, CommandError> {
    let texts = ["health_sync.max<100ms", "health_sync.timed_out==0", "lost==0", "without_token==0"];
    texts.into_iter().map(|text| Ok(text.parse()?)).collect()
}

/// Streams that were never open together have not tried what they were to try. Where the server refused
/// them it has failed instead, which `lost==0` says.
fn missing_pressure(args: &VerifyArgs, result: &RunResult) -> Vec<String> {
    let (peak, lost) =
        result.target.as_ref().map_or((0, 0), |target| (target.streams.peak_active, target.streams.lost()));
    if peak < u64::from(args.streams) && lost == 0 {
        return vec![format!("at most {peak} of {} streams were open at once", args.streams)];
    }
    Vec::new()
}

fn stream_plan(args: &VerifyArgs, endpoint: Endpoint) -> StreamPlan {
    StreamPlan {
        endpoint,
        method: "POST".into(),
        path: args.path.clone(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: StreamPlan::BODY.into(),
        // The source's own.
        timeout: Duration::from_secs(60),
    }
}
