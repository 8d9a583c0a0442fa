//! A vendor's answer with an error status: what it means, and for whom it is.

use std::time::Duration;

use serde::de::IgnoredAny;

use crate::error::ErrorBody;
use crate::retry_after;
use crate::stream::ReportedFailure;

/// Header by which an answer says whether the same request is worth another attempt: `false` or `true`.
/// OpenAI's servers send it and its clients obey it.
pub const SHOULD_RETRY_HEADER: &str = "x-should-retry";

/// How the headers begin in which a vendor says what is left of a quota (`x-ratelimit-remaining-tokens`).
const RATE_LIMIT_PREFIX: &str = "x-ratelimit-";

/// Most bytes of a vendor's error body that are read for its reason.
const REASON_BYTES_MAX: usize = 64 * 1024;

/// An answer of a vendor's with another status than 2xx, read: what it means is the same for every server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamRejection {
    /// Its status.
    pub status: u16,
    /// What it says of the cause. For the log.
    pub reason: ReportedFailure,
    /// When to come back, if it says so.
    pub retry_after: Option<Duration>,
    /// Its headers about quotas.
    pub rate_limits: Vec<(String, String)>,
    /// Its body as it came, where it is JSON.
    pub json: Option<Vec<u8>>,
    /// It says that another attempt is useless.
    final_by_header: bool,
}

impl UpstreamRejection {
    /// Reads an answer with this status, these headers (names in lower case) and this body, as far as it
    /// could be read.
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

    /// Whether it is about the client's request, so that the client gets it as what it is. An answer of
    /// another class is a failure of the vendor's, and a 401 is about the server's own key: a client
    /// whose key is good can do nothing about it.
    #[must_use]
    pub fn is_client_error(&self) -> bool {
        (400..=499).contains(&self.status) && !self.is_key_rejected()
    }

    /// Whether the vendor does not accept the key of the server that asked.
    #[must_use]
    pub fn is_key_rejected(&self) -> bool {
        self.status == 401
    }

    /// Whether the same request may go better at once or soon: the vendor failed, or is too busy, and does
    /// not say that it will stay so.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        (self.status >= 500 || matches!(self.status, 408 | 429)) && !self.is_final()
    }

    /// Whether it says itself that another attempt is useless.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.final_by_header || self.reason.is_final()
    }

    /// The error for a client who cannot be given the body as it came: it is no JSON, or a stream has begun.
    #[must_use]
    pub fn error_body(&self) -> ErrorBody {
        let own = || {
            let text = format!("the model's vendor refused the request with status {}", self.status);
            ErrorBody::new("upstream_rejected", text)
        };
        self.json.as_deref().and_then(|json| serde_json::from_slice(json).ok()).unwrap_or_else(own)
    }
}

/// Those of a vendor's headers that say what is left of a quota; names are in lower case.
pub fn rate_limits<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> impl Iterator<Item = (String, String)> {
    let ours = headers.filter(|(name, _)| name.starts_with(RATE_LIMIT_PREFIX));
    ours.map(|(name, value)| (name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worth_another_attempt() {
        let quota = r#"{"error":{"message":"R","type":"insufficient_quota","code":"insufficient_quota"}}"#;
        for (status, should_retry, body, worth_it) in [
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
            let refused = UpstreamRejection::read(status, headers.as_slice(), body.as_bytes());
            assert_eq!(refused.is_retryable(), worth_it, "{status} {should_retry:?} {body}");
        }
    }

    #[test]
    fn only_what_is_about_the_request_is_for_the_client() {
        let for_client = |status| UpstreamRejection::read(status, &[], b"").is_client_error();
        assert!([400, 402, 403, 404, 422, 429, 499].into_iter().all(for_client));
        assert!(![302, 401, 500, 503].into_iter().any(for_client));
    }

    #[test]
    fn json_is_kept_as_it_came_and_nothing_else_is() {
        let json = r#"{"detail": [{"msg": "R"}]}"#;
        let headers = [("x-ratelimit-limit-tokens", "5"), ("set-cookie", "a"), ("retry-after", "7")];
        let refused = UpstreamRejection::read(422, &headers, json.as_bytes());
        assert_eq!(refused.json.as_deref(), Some(json.as_bytes()));
        assert_eq!(refused.rate_limits, [("x-ratelimit-limit-tokens".to_owned(), "5".to_owned())]);
        assert_eq!((refused.retry_after, refused.reason.reason.as_str()), (Some(Duration::from_secs(7)), "R"));
        assert_eq!(refused.error_body().error.kind, "upstream_rejected");
        assert_eq!(UpstreamRejection::read(400, &[], b"<h1>").json, None);
    }
}
