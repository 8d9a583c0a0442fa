//! Where to go on when a server is slow: `loadgen diagnose` says why.

use super::invocation::quoted;

/// The line that points to `loadgen diagnose`, with the arguments for this server. It is not wrapped, so that it can be
/// copied.
pub(super) fn to_diagnose(url: &str, stream_path: Option<&str>, health_path: &str) -> String {
    let streams = stream_path.map_or_else(String::new, |path| format!(" --stream-path {}", quoted(path)));
    format!("  Why?  loadgen diagnose --url {}{streams} --health-path {}", quoted(url), quoted(health_path))
}
