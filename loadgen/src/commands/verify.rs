use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::CommandError;
use super::single::{LoadTimes, Observation, pass, write_out};
use crate::cli::VerifyArgs;
use crate::http::Endpoint;
use crate::measure::{ProbeKind, ProbePlan};
use crate::report::{self, Terminal};
use crate::result::RunResult;
use crate::traffic::{Crowd, LoadShape, StreamPlan};
use crate::verdict::{self, Objective};

/// Checks of the idle server, before the streams.
const CHECKS_BEFORE: u32 = 2;

/// The source's validation asks whether the mean of 15 checks is under 0.1 s, one after the other,
/// whether or not there was a single stream. This one sends the checks on a schedule, judges the
/// slowest, and wants proof that the streams were open and flowing meanwhile.
pub(super) async fn execute(args: &VerifyArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let endpoint = Endpoint::parse(&args.url)?;
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

    let parameters = BTreeMap::from([
        ("url".into(), json!(args.url)),
        ("streams".into(), json!(args.streams)),
        ("checks".into(), json!(args.checks)),
        ("interval_ms".into(), json!(args.interval.as_millis())),
    ]);
    let mut result = seen.finish("verify", parameters, times, None).await?;
    result.verdict = verdict::of_run(&objectives()?, &result, missing_pressure(args, &result));
    terminal.line("");
    report::single(terminal, &result);
    terminal.line("");
    report::verdict(terminal, &result.verdict);
    if let Some(path) = &args.out {
        write_out(&result, path, terminal)?;
    }
    Ok(result.verdict.exit_code())
}

fn objectives() -> Result<Vec<Objective>, CommandError> {
    let texts = ["health_sync.max<100ms", "health_sync.timed_out==0", "lost==0", "without_token==0"];
    texts.into_iter().map(|text| Ok(text.parse()?)).collect()
}

fn missing_pressure(args: &VerifyArgs, result: &RunResult) -> Vec<String> {
    let peak = result.target.as_ref().map_or(0, |target| target.streams.peak_active);
    if peak < u64::from(args.streams) {
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
