//! The `x-ratelimit-*` and `Retry-After` headers of the real API.

use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue, RETRY_AFTER};

use crate::quota::short;
use crate::quota_enforcer::RateLimitStatus;

/// Adds the `x-ratelimit-*` headers of the real API.
pub(crate) fn add(status: &RateLimitStatus, headers: &mut HeaderMap) {
    let names = [
        ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        ("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ];
    for ((limit, remaining, reset), window) in names.into_iter().zip([status.requests, status.tokens]) {
        let Some(window) = window else { continue };
        headers.insert(limit, window.limit.into());
        headers.insert(remaining, window.remaining.into());
        if let Ok(value) = HeaderValue::from_str(&short(window.reset)) {
            headers.insert(reset, value);
        }
    }
}

/// Adds `Retry-After` in whole seconds, rounded up so that a retry after it is not rejected again, and the real
/// API's `retry-after-ms`.
pub(crate) fn add_retry_after(wait: Option<Duration>, headers: &mut HeaderMap) {
    let Some(wait) = wait else { return };
    let milliseconds = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    headers.insert(RETRY_AFTER, milliseconds.div_ceil(1_000).into());
    headers.insert(HeaderName::from_static("retry-after-ms"), milliseconds.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_rounded_up() {
        let mut headers = HeaderMap::new();
        add_retry_after(Some(Duration::from_nanos(1_200_000_001)), &mut headers);
        assert_eq!(headers["retry-after"], "2");
        assert_eq!(headers["retry-after-ms"], "1201");
    }
}
