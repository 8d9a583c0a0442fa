//! `loadgen diagnose`

use super::CommandError;
use super::preflight::check_reachable;
use super::target::{STREAM_PATH, target};
use crate::cli::DiagnoseArgs;
use crate::diagnose::{DiagnoseNews, DiagnoseOptions, diagnose};
use crate::report::Terminal;
use crate::result::DiagnosisKind;
use crate::traffic::{CHAT, ExpectedAnswer, Request};

pub(super) async fn execute(args: &DiagnoseArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let (endpoint, path) = target(&args.url, args.stream_path.as_deref(), STREAM_PATH)?;
    check_reachable(&endpoint).await?;
    let body = args.body.clone().unwrap_or_else(|| CHAT.to_owned());
    let mut request = Request { method: args.method.clone(), ..Request::post(path, body, ExpectedAnswer::Stream) };
    request.headers.extend(args.headers.iter().cloned());
    if let Some(key) = &args.api_key {
        request = request.key(key);
    }
    let options = DiagnoseOptions {
        endpoint,
        request,
        health_path: args.health_path.clone(),
        async_health_path: args.async_health_path.clone(),
        pid: args.pid,
        platform: args.platform,
        streams_max: args.max_streams.into(),
        budget: args.budget,
    };
    let found = diagnose(&options, |news| terminal.line(said(&news))).await;
    let (found, generator) = found.map_err(|error| CommandError::Usage(error.to_string()))?;
    terminal.line(serde_json::to_string(&serde_json::json!({
        "kind": found.kind, "form": found.form, "limit": found.limit, "at": found.streams_at_collapse,
        "confidence": found.confidence, "surer": found.surer_with, "evidence": found.evidence, "recovered": found.recovered_after_s,
        "lag": generator.schedule_lag_ms.p99,
    })).unwrap_or_default());
    Ok(match found.kind {
        DiagnosisKind::NoneFound => 0,
        _ => 1,
    })
}

fn said(news: &DiagnoseNews<'_>) -> String {
    match news {
        DiagnoseNews::Looked(first, gap) => format!("one stream: first chunk after {first:?}, then one every {gap:?}"),
        DiagnoseNews::Level(level) => {
            let probes: Vec<_> = level
                .probes
                .iter()
                .map(|(name, probe)| {
                    format!(
                        "{name} {:.1}/{:.1} {}/{}",
                        probe.latency_ms.p50,
                        probe.latency_ms.p99,
                        probe.timed_out + probe.failed,
                        probe.sent
                    )
                })
                .collect();
            format!(
                "{} streams: {} started, {} waiting, {} lost, {:.1}/s, {} cpu {:?} threads {:?}",
                level.streams,
                level.started,
                level.waiting,
                level.lost,
                level.chunks_per_second,
                probes.join(", "),
                level.cpu_cores,
                level.threads
            )
        }
        DiagnoseNews::Recovering => "recovering".to_owned(),
    }
}
