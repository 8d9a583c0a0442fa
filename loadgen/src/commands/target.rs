//! The server and the probes that a command names.

use super::CommandError;
use crate::http::Endpoint;
use crate::measure::ProbeKind;

/// Default path of the streams.
pub(super) const STREAM_PATH: &str = "/chat/stream";

/// The server of `--url` and the path of its requests, which may be in either flag, and else is `default`.
pub(super) fn target(url: &str, path: Option<&str>, default: &str) -> Result<(Endpoint, String), CommandError> {
    let (server, in_url) = Endpoint::parse_with_path(url)?;
    let path = one_path(url, &server, in_url, "--path", path, default)?;
    Ok((server, path))
}

/// The path that is in `url` or in `flag`, and else is `default`.
pub(super) fn one_path(
    url: &str,
    server: &Endpoint,
    in_url: Option<String>,
    flag: &str,
    given: Option<&str>,
    default: &str,
) -> Result<String, CommandError> {
    match (in_url, given) {
        (None, given) => Ok(given.unwrap_or(default).to_owned()),
        (Some(path), None) => Ok(path),
        (Some(_), Some(given)) => Err(CommandError::Usage(format!(
            "--url {url} has a path, and {flag} {given} is another: use --url {server} with complete paths"
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
