//! Where to go on when a server is slow: `loadgen diagnose` says why.

/// The line that points to `loadgen diagnose`, with the arguments for this server. It is not wrapped, so that it can be
/// copied.
pub(super) fn to_diagnose(url: &str, stream_path: Option<&str>, health_path: &str) -> String {
    let streams = stream_path.map_or_else(String::new, |path| format!(" --stream-path {path}"));
    format!("  Why?  loadgen diagnose --url {url}{streams} --health-path {health_path}")
}
