//! Checks before a load.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::CommandError;
use crate::cli::Outputs;
use crate::descriptors::{needed_by_generator, raise_descriptor_limit};
use crate::http::Endpoint;
use crate::measure::{ProbeKind, ProbePlan, StreamEnd, StreamLog, get_health};
use crate::report;
use crate::result::StreamStats;
use crate::traffic::{Client, Exchange};

/// Checks that the files for the result can be written, before anything is run.
pub(super) fn check_outputs(outputs: &Outputs) -> Result<(), CommandError> {
    let Outputs { out, html } = outputs;
    if let (Some(out), Some(html)) = (out, html)
        && out == html
    {
        return Err(CommandError::Usage(format!("--out and --html name the same file, {}", out.display())));
    }
    [("--out", out), ("--html", html)].into_iter().try_for_each(|(flag, path)| match path {
        Some(path) => report::check_writable(path).map_err(|source| unusable(flag, path, &source)),
        None => Ok(()),
    })
}

fn unusable(flag: &str, path: &Path, source: &std::io::Error) -> CommandError {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let why = match folder {
        Some(folder) if !folder.exists() => format!("the folder {} does not exist", folder.display()),
        _ => source.to_string(),
    };
    CommandError::Usage(format!("{flag} {}: {why}", path.display()))
}

/// Checks that there are enough descriptors, that the server accepts connections, and that its health checks
/// are answered 2xx. `flag` is the flag that sets the path of a health check.
///
/// # Errors
/// The first check that fails.
pub(super) async fn check_server(
    endpoint: &Endpoint,
    plan: &ProbePlan,
    streams_max: u64,
    flag: &'static str,
) -> Result<(), CommandError> {
    check_descriptors(plan.waiting_max(), streams_max)?;
    check_reachable(endpoint).await?;
    for kind in &plan.kinds {
        check_health(endpoint, kind, plan.timeout, flag).await?;
    }
    Ok(())
}

/// A server that hangs holds each probe until its time-out: all of them need a descriptor.
pub(super) fn check_descriptors(probes_max: u64, streams_max: u64) -> Result<(), CommandError> {
    let (needed, limit) = (needed_by_generator(&[streams_max], probes_max), raise_descriptor_limit());
    if limit < needed { Err(CommandError::Descriptors { needed, limit }) } else { Ok(()) }
}

pub(super) async fn check_reachable(endpoint: &Endpoint) -> Result<(), CommandError> {
    const TIMEOUT: Duration = Duration::from_secs(5);
    let no_server = |why: String| CommandError::NoServer { url: endpoint.to_string(), why };
    match timeout(TIMEOUT, TcpStream::connect(endpoint.addr())).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(no_server(error.to_string())),
        Err(_) => Err(no_server(format!("no connection within {TIMEOUT:?}"))),
    }
}

async fn check_health(
    endpoint: &Endpoint,
    kind: &ProbeKind,
    limit: Duration,
    flag: &'static str,
) -> Result<(), CommandError> {
    let why = match timeout(limit, get_health(endpoint, kind)).await {
        Ok(Ok(answer)) if (200..300).contains(&answer.status) => return Ok(()),
        Ok(Ok(answer)) => format!("answered {}", answer.status),
        Ok(Err(error)) => format!("failed ({error})"),
        Err(_) => format!("was not answered within {limit:?}"),
    };
    Err(CommandError::HealthBeforeLoad { path: kind.path.clone(), why, flag })
}

/// The result of one stream before the load.
pub(super) enum TrialStream {
    /// It is a stream, or has not been answered yet.
    Accepted,
    /// The server failed it; the load will show whether it always does.
    Failed(StreamStats),
    /// The server rejected the request, and will reject every other one like it.
    Rejected(StreamStats),
}

/// Requests one stream and disconnects after its first token, so that a wrong path, header or body is reported
/// before any load. It is not counted in the result.
pub(super) async fn try_one_stream(exchange: &Exchange) -> TrialStream {
    const TIMEOUT: Duration = Duration::from_secs(5);
    let (log, now) = (Arc::new(StreamLog::default()), Instant::now());
    let client = Client::default().disconnects_after_tokens(1).disconnects_after(TIMEOUT);
    let ended = Exchange { client, ..exchange.clone() }.perform(now, &log).await.end;
    let stats = || log.stats_with_histograms(now.elapsed());
    match ended {
        // With these the server would accept the request at another time.
        StreamEnd::Refused(408 | 425 | 429) => TrialStream::Failed(stats()),
        StreamEnd::Refused(400..=499) => TrialStream::Rejected(stats()),
        StreamEnd::Refused(_) | StreamEnd::Failed(_) => TrialStream::Failed(stats()),
        _ => TrialStream::Accepted,
    }
}
