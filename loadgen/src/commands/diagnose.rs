//! `loadgen diagnose`

use super::CommandError;
use super::diagnose_options::options;
use super::so_far::SoFar;
use crate::cli::DiagnoseArgs;
use crate::diagnose::{DiagnoseNews, diagnose};
use crate::report::Terminal;
use crate::result::DiagnosisKind;

pub(super) async fn execute(args: &DiagnoseArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let options = options(args).await?;
    if args.insecure {
        terminal.line(
            "  Any certificate is accepted: whoever is between here and the server can read the key and the answers.",
        );
    }
    let mut so_far = SoFar::new(terminal);
    let found = diagnose(&options, |news| {
        if let DiagnoseNews::Level(level) = &news {
            so_far.level(level);
        }
        terminal.line(said(&news));
    });
    let found = found.await;
    so_far.end();
    let (found, generator) = found?;
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
