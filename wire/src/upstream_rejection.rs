//! A vendor's response with an error status: what it means for the client and for retries.

use std::time::Duration;

use serde::de::IgnoredAny;

use crate::error::ErrorBody;
use crate::retry_after;
use crate::stream::ReportedFailure;

/// Response header that says whether to retry the request: `true` or `false`. OpenAI's servers send it and its clients
/// obey it.
pub const SHOULD_RETRY_HEADER: &str = "x-should-retry";

/// Prefix of the headers with which a vendor says what is left of a quota (`x-ratelimit-remaining-tokens`).
const RATE_LIMIT_PREFIX: &str = "x-ratelimit-";

/// Most bytes of a vendor's error body that are parsed for its reason.
const REASON_BYTES_MAX: usize = 64 * 1024;

/// A vendor's response with a status other than 2xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamRejection {
    /// Its status.
    pub status: u16,
    /// What it says about the cause, for the log.
    pub reason: ReportedFailure,
    /// When to come back, if it says so.
    pub retry_after: Option<Duration>,
    /// Its headers about quotas.
    pub rate_limits: Vec<(String, String)>,
    /// Its body, unchanged, if it is JSON.
    pub json: Option<Vec<u8>>,
    /// `x-should-retry: false`.
    final_by_header: bool,
}

impl UpstreamRejection {
    /// Reads a response with this status, these headers (names in lower case) and as much of the body as was received.
    #[must_use]
    pub fn read(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let header = |name: &str| headers.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
        let should_retry = header(SHOULD_RETRY_HEADER).unwrap_or_default();
        UpstreamRejection {
            status,
            reason: ReportedFailure::parse(&body[..body.len().min(REASON_BYTES_MAX)]),
            retry_after: retry_after::from_headers(header),
            rate_limits: rate_limits(headers.iter().copied()).collect(),
            json: serde_json::from_slice::<IgnoredAny>(body).is_ok().then(|| body.to_owned()),
            final_by_header: should_retry.trim().eq_ignore_ascii_case("false"),
        }
    }

    /// Whether the client's request was at fault, so that the response is passed on to the client. Other statuses are
    /// failures of the vendor, and 401 is about the server's own key: the client can do nothing about it.
    #[must_use]
    pub fn is_client_error(&self) -> bool {
        (400..=499).contains(&self.status) && !self.is_key_rejected()
    }

    /// Whether the vendor rejected the server's own key.
    #[must_use]
    pub fn is_key_rejected(&self) -> bool {
        self.status == 401
    }

    /// Whether another attempt may succeed, at once or soon: the vendor failed or is too busy, and does not say that
    /// retrying is useless.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        (self.status >= 500 || matches!(self.status, 408 | 429)) && !self.is_final()
    }

    /// Whether the vendor says that retrying is useless.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.final_by_header || self.reason.is_final()
    }

    /// The error for a client to which the body cannot be passed on: it is not JSON, or a stream has begun.
    #[must_use]
    pub fn error_body(&self) -> ErrorBody {
        let own = || {
            let text = format!("the vendor rejected the request with status {}", self.status);
            ErrorBody::new("upstream_rejected", text)
        };
        self.json.as_deref().and_then(|json| serde_json::from_slice(json).ok()).unwrap_or_else(own)
    }
}

/// Those of a vendor's headers that say what is left of a quota. Names are in lower case.
pub fn rate_limits<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> impl Iterator<Item = (String, String)> {
    let ours = headers.filter(|(name, _)| name.starts_with(RATE_LIMIT_PREFIX));
    ours.map(|(name, value)| (name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_that_may_pass_are_retryable() {
        let quota = r#"{"error":{"message":"R","type":"insufficient_quota","code":"insufficient_quota"}}"#;
        for (status, should_retry, body, retryable) in [
            (500, None, "", true),
            (503, Some("true"), "", true),
            (503, Some("false"), "", false),
            (429, None, r#"{"error":{"message":"R","code":"rate_limit_exceeded"}}"#, true),
            (429, Some("False"), "", false),
            (429, None, quota, false),
            (408, None, "", true),
            (400, None, "", false),
            (401, None, "", false),
            (302, None, "", false),
        ] {
            let headers = should_retry.map(|value| (SHOULD_RETRY_HEADER, value));
            let rejection = UpstreamRejection::read(status, headers.as_slice(), body.as_bytes());
            assert_eq!(rejection.is_retryable(), retryable, "{status} {should_retry:?} {body}");
        }
    }

    #[test]
    fn only_errors_in_the_request_are_passed_to_the_client() {
        let for_client = |status| UpstreamRejection::read(status, &[], b"").is_client_error();
        assert!([400, 402, 403, 404, 422, 429, 499].into_iter().all(for_client));
        assert!(![302, 401, 500, 503].into_iter().any(for_client));
    }

    #[test]
    fn a_json_body_is_kept_unchanged_and_others_are_not() {
        let json = r#"{"detail": [{"msg": "R"}]}"#;
        let headers = [("x-ratelimit-limit-tokens", "5"), ("set-cookie", "a"), ("retry-after", "7")];
        let rejection = UpstreamRejection::read(422, &headers, json.as_bytes());
        assert_eq!(rejection.json.as_deref(), Some(json.as_bytes()));
        assert_eq!(rejection.rate_limits, [("x-ratelimit-limit-tokens".to_owned(), "5".to_owned())]);
        assert_eq!((rejection.retry_after, rejection.reason.reason.as_str()), (Some(Duration::from_secs(7)), "R"));
        assert_eq!(rejection.error_body().error.kind, "upstream_rejected");
        assert_eq!(UpstreamRejection::read(400, &[], b"<h1>").json, None);
    }
}
