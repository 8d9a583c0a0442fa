//! Where to go on when a server is slow: `loadgen diagnose` says why.

use crate::report::wrap;

/// The line that points to `loadgen diagnose`, with the arguments for this server.
pub(super) fn to_diagnose(url: &str, stream_path: Option<&str>, health_path: &str) -> String {
    let streams = stream_path.map_or_else(String::new, |path| format!(" --stream-path {path}"));
    wrap("  What limits it:  ", &format!("loadgen diagnose --url {url}{streams} --health-path {health_path}"))
}
