//! The server and the probes that a command names.

use super::CommandError;
use crate::http::Endpoint;
use crate::measure::ProbeKind;

/// Default path of the streams.
pub(super) const STREAM_PATH: &str = "/chat/stream";

/// The server of `--url` and the path of its requests, which may be in either flag, and else is `default`.
pub(super) fn target(url: &str, path: Option<&str>, default: &str) -> Result<(Endpoint, String), CommandError> {
    match (Endpoint::parse_with_path(url)?, path) {
        ((server, None), path) => Ok((server, path.unwrap_or(default).to_owned())),
        ((server, Some(path)), None) => Ok((server, path)),
        ((server, Some(_)), Some(path)) => Err(CommandError::Usage(format!(
            "--url {url} has a path, and --path {path} is another: use --url {server} with complete paths"
        ))),
    }
}

/// The named probes, or the default pair.
pub(super) fn probe_kinds(named: &[(String, String)]) -> Result<Vec<ProbeKind>, CommandError> {
    if named.is_empty() {
        return Ok(ProbeKind::defaults());
    }
    for (index, (name, path)) in named.iter().enumerate() {
        if let Some((_, other)) = named[..index].iter().find(|(earlier, _)| earlier == name) {
            return Err(CommandError::Usage(format!("--probe {name} is given twice, for {other} and for {path}")));
        }
    }
    Ok(named.iter().map(|(name, path)| ProbeKind::new(name, path)).collect())
}
