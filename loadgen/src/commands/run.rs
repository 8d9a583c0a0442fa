use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::CommandError;
use super::single::{LoadTimes, Observation, pass, write_out};
use crate::cli::RunArgs;
use crate::http::Endpoint;
use crate::measure::{ProbeKind, ProbePlan};
use crate::report::{self, Terminal};
use crate::result::RunResult;
use crate::traffic::{Crowd, LoadShape, StreamPlan};
use crate::verdict;

/// Streams at a time when nothing else is asked: the source's.
const CONCURRENCY: u32 = 40;

pub(super) async fn execute(args: &RunArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let endpoint = Endpoint::parse(&args.url)?;
    let vendor = args.vendor.as_deref().map(Endpoint::parse).transpose()?;
    let shape = load_shape(args)?;
    let streams_max = match shape {
        LoadShape::Concurrency { streams, .. } => u64::from(streams),
        LoadShape::Rate { per_second, .. } => (per_second * args.stream_timeout.as_secs_f64()) as u64,
    };
    let streams_max = streams_max.min(args.requests_max);
    let seen = Observation::begin(&endpoint, probe_plan(args), args.pid, streams_max).await?;
    report::heading_of_one(terminal, &endpoint.to_string(), &seen.probes);
    pass(&seen, args.baseline, terminal).await;

    let begun = seen.now();
    let plan = stream_plan(args, endpoint);
    let mut crowd = Crowd::new(plan, seen.streams.clone(), seen.lag.clone(), args.seed)
        .with_leavers(args.cancel_share, args.cancel_after);
    let load = crowd.keep(shape, args.duration, args.requests_max);
    let ((), ()) = tokio::join!(load, pass(&seen, args.duration, terminal));
    let ramp = if args.rate.is_some() { Duration::ZERO } else { args.ramp };
    let times = LoadTimes { begun, full: begun + ramp, ended: seen.now() };
    crowd.wait(args.drain).await;
    crowd.leave().await;

    let mut result = seen.finish("run", parameters(args), times, vendor.as_ref()).await?;
    result.verdict = verdict::of_run(&args.objectives, &result, missing_pressure(shape, args, &result));
    terminal.line("");
    report::single(terminal, &result);
    terminal.line("");
    report::verdict(terminal, &result.verdict);
    if let Some(path) = &args.out {
        write_out(&result, path, terminal)?;
    }
    Ok(result.verdict.exit_code())
}

fn load_shape(args: &RunArgs) -> Result<LoadShape, CommandError> {
    if args.rate.is_none() && args.ramp >= args.duration {
        return Err(CommandError::Usage(format!(
            "--ramp {:?} must be less than --duration {:?}",
            args.ramp, args.duration
        )));
    }
    Ok(match args.rate {
        Some(per_second) => LoadShape::Rate { per_second, arrivals: args.arrivals },
        None => LoadShape::Concurrency { streams: args.concurrency.unwrap_or(CONCURRENCY), ramp: args.ramp },
    })
}

/// A closed loop whose streams were never open together has not tried what it was asked to try.
fn missing_pressure(shape: LoadShape, args: &RunArgs, result: &RunResult) -> Vec<String> {
    let peak = result.target.as_ref().map_or(0, |target| target.streams.peak_active);
    match shape {
        LoadShape::Concurrency { streams, .. } if peak < u64::from(streams).min(args.requests_max) => {
            vec![format!("the pressure was not there: at most {peak} of {streams} streams were open at once")]
        }
        _ => Vec::new(),
    }
}

fn probe_plan(args: &RunArgs) -> ProbePlan {
    let kind = |(name, path): &(String, String)| ProbeKind::new(name, path);
    let kinds = if args.probes.is_empty() { ProbeKind::defaults() } else { args.probes.iter().map(kind).collect() };
    ProbePlan { kinds, rate: args.probe_rate, timeout: args.probe_timeout }
}

fn stream_plan(args: &RunArgs, endpoint: Endpoint) -> StreamPlan {
    let mut headers = args.headers.clone();
    if !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".into(), "application/json".into()));
    }
    StreamPlan {
        endpoint,
        method: args.method.clone(),
        path: args.path.clone(),
        headers,
        body: args.body.clone().unwrap_or_else(|| StreamPlan::BODY.into()).into(),
        timeout: args.stream_timeout,
    }
}

fn parameters(args: &RunArgs) -> BTreeMap<String, serde_json::Value> {
    let millis = |duration: Duration| json!(duration.as_millis());
    BTreeMap::from([
        ("url".into(), json!(args.url)),
        ("path".into(), json!(args.path)),
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
