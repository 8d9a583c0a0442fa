//! The answer to `GET /metrics`.

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// The content type of [`metrics_text`].
pub const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of `registry` as OpenMetrics text.
#[must_use]
pub fn metrics_text(registry: &Registry) -> String {
    let mut text = String::new();
    encode(&mut text, registry).unwrap_or_else(|error| unreachable!("writing to a String never fails: {error}"));
    text
}
