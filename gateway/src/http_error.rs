//! The one place that maps failures to HTTP: to a response, or to the event that ends a stream.

use resilience::{AdmissionError, Retryable, UserLimitError};
use wire::error::{ErrorBody, RequestError};
use wire::retry_after::whole_seconds;
use wire::upstream_rejection::SHOULD_RETRY_HEADER;

use crate::body_memory_full::BodyMemoryFull;
use crate::failure::Failure;
use crate::upstream_failure::UpstreamFailure;

/// The response to a request that failed, before a web framework makes its own of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpError {
    /// The status; of a vendor's rejection its own, so it may be one that no framework knows.
    pub status: u16,
    /// Names, in lower case, and values. A name may be there several times.
    pub headers: Vec<(String, String)>,
    /// JSON.
    pub body: Vec<u8>,
}

impl Failure {
    /// The response to a request with this failure, for which the vendor was called `attempts` times.
    #[must_use]
    pub fn to_http(&self, attempts: u32) -> HttpError {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(self.header().map(|(name, value)| (name.to_owned(), value)));
        if self.is_final_after(attempts) {
            headers.push((SHOULD_RETRY_HEADER.to_owned(), "false".to_owned()));
        }
        if let Failure::Rejected(refused) = self {
            headers.extend(refused.rate_limits.iter().cloned());
        }
        HttpError { status: self.status(), headers, body: self.json() }
    }

    fn status(&self) -> u16 {
        match self {
            Failure::InvalidRequest(refusal) => refusal.status(),
            Failure::UserLimit(_)
            | Failure::BodyMemory(_)
            | Failure::Admission(AdmissionError::QueueFull { .. } | AdmissionError::WaitTooLong { .. }) => 429,
            Failure::Admission(AdmissionError::QueueTimeout { .. }) | Failure::SlaTimeout(_) => 504,
            // A request for too many tokens is refused when it is read.
            Failure::Admission(AdmissionError::ExceedsBurst(_)) => 500,
            Failure::Upstream(_) => 502,
            Failure::Rejected(refused) => refused.status,
            Failure::Database(_) | Failure::ShuttingDown => 503,
            Failure::Internal(_) => 500,
        }
    }

    fn header(&self) -> Option<(&'static str, String)> {
        match self {
            Failure::InvalidRequest(RequestError::MethodNotAllowed { allowed, .. }) => {
                Some(("allow", (*allowed).to_owned()))
            }
            Failure::InvalidRequest(RequestError::InvalidApiKey) => Some(("www-authenticate", "Bearer".to_owned())),
            // A rejection is passed on with its `Retry-After`; that of a failure is meant for this server.
            Failure::Upstream(UpstreamFailure::Status(_)) => None,
            _ => self.retry_after().map(|after| ("retry-after", whole_seconds(after))),
        }
    }

    /// A vendor's rejection unchanged where it is JSON, or else a body of this server's.
    fn json(&self) -> Vec<u8> {
        let passed_on = if let Failure::Rejected(refused) = self { refused.json.clone() } else { None };
        passed_on.unwrap_or_else(|| {
            let json = serde_json::to_vec(&self.body());
            json.unwrap_or_else(|error| unreachable!("an error body is always JSON: {error}"))
        })
    }

    /// What the client learns: the body of an HTTP error, or of the event that ends a stream.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        let text = match self {
            Failure::InvalidRequest(refusal) => return refusal.body(),
            Failure::Rejected(refused) => return refused.error_body(),
            Failure::Upstream(cause) => {
                return ErrorBody::new(self.kind(), cause.public_text()).with_code(cause.code());
            }
            Failure::UserLimit(UserLimitError::Rate { .. }) => "too many requests from you; try again later",
            Failure::UserLimit(UserLimitError::InFlight { .. }) => {
                "too many requests from you at the same time; wait for one to end"
            }
            Failure::UserLimit(UserLimitError::TooManyUsers { .. }) => {
                "too many users at the same time; try again later"
            }
            Failure::BodyMemory(BodyMemoryFull::User) => "your requests take too much memory; wait for one to end",
            Failure::BodyMemory(BodyMemoryFull::All) => {
                "the requests of all users take too much memory; try again later"
            }
            Failure::Admission(AdmissionError::QueueFull { .. }) => "the queue is full; try again later",
            Failure::Admission(AdmissionError::WaitTooLong { .. }) => {
                "the wait in the queue would be too long; try again later"
            }
            Failure::Admission(AdmissionError::QueueTimeout { .. }) => "timed out waiting in the queue",
            Failure::SlaTimeout(_) => "the request took too long",
            Failure::Database(_) => "keys and sessions cannot be looked up at the moment; try again later",
            Failure::ShuttingDown => "the server is shutting down; try again",
            Failure::Internal(_) | Failure::Admission(AdmissionError::ExceedsBurst(_)) => {
                "the server failed; the request is not at fault"
            }
        };
        ErrorBody::new(self.kind(), text)
    }

    /// The `type` of the error.
    fn kind(&self) -> &'static str {
        match self {
            Failure::InvalidRequest(_) => "invalid_request_error",
            Failure::Upstream(_) => "upstream_failure",
            Failure::Database(_) => "database_unavailable",
            _ => self.outcome().as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use resilience::DeadlinePassed;
    use serde_json::{Value, json};
    use wire::upstream_rejection::UpstreamRejection;

    use super::*;

    fn header<'a>(error: &'a HttpError, name: &str) -> Option<&'a str> {
        error.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn every_cause_has_its_status_type_and_retry_after() {
        let status = |status| Box::new(UpstreamRejection::read(status, &[("retry-after", "7")], b""));
        let two_seconds = Duration::from_millis(1500);
        for (failure, expected, kind, retry_after) in [
            (Failure::from(RequestError::InvalidApiKey), 401, "invalid_request_error", None),
            (UserLimitError::Rate { retry_after: two_seconds }.into(), 429, "user_limit", Some("2")),
            (UserLimitError::InFlight { limit: 1 }.into(), 429, "user_limit", Some("1")),
            (BodyMemoryFull::User.into(), 429, "user_limit", Some("1")),
            (BodyMemoryFull::All.into(), 429, "overloaded", Some("1")),
            (AdmissionError::QueueFull { retry_after: two_seconds }.into(), 429, "overloaded", Some("2")),
            (AdmissionError::WaitTooLong { predicted: two_seconds }.into(), 429, "overloaded", Some("2")),
            (AdmissionError::QueueTimeout { waited: two_seconds }.into(), 504, "queue_timeout", None),
            (DeadlinePassed.into(), 504, "sla_timeout", None),
            (UpstreamFailure::CallTimeout.into(), 502, "upstream_failure", None),
            (UpstreamFailure::Status(status(503)).into(), 502, "upstream_failure", None),
            (resilience::BreakerOpen { retry_after: two_seconds }.into(), 502, "upstream_failure", Some("2")),
            (Failure::Rejected(status(422)), 422, "upstream_rejected", Some("7")),
            (Failure::Database("secret".into()), 503, "database_unavailable", Some("1")),
            (Failure::ShuttingDown, 503, "shutting_down", Some("1")),
            (Failure::Internal("secret"), 500, "internal", None),
        ] {
            let error = failure.to_http(1);
            let body: Value = serde_json::from_slice(&error.body).unwrap();
            assert_eq!((error.status, body["error"]["type"].as_str()), (expected, Some(kind)), "{failure}");
            assert_eq!(header(&error, "retry-after"), retry_after, "{failure}");
            assert!(!body.to_string().contains("secret"), "{body}");
        }
    }

    #[test]
    fn a_rejection_is_passed_on_as_the_vendor_sent_it() {
        let text = json!({"detail": [{"msg": "no"}]}).to_string();
        let headers = [("x-ratelimit-remaining-tokens", "5"), ("set-cookie", "a"), ("x-should-retry", "false")];
        let rejected = Failure::Rejected(Box::new(UpstreamRejection::read(422, &headers, text.as_bytes())));
        let error = rejected.to_http(1);
        assert_eq!((error.status, error.body), (422, text.into_bytes()));
        let expected = [("content-type", "application/json"), ("x-should-retry", "false"), headers[0]];
        assert_eq!(error.headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn only_after_several_attempts_is_a_timeout_final() {
        let timeout = Failure::from(UpstreamFailure::CallTimeout);
        assert_eq!(header(&timeout.to_http(1), SHOULD_RETRY_HEADER), None);
        assert_eq!(header(&timeout.to_http(2), SHOULD_RETRY_HEADER), Some("false"));
    }

    #[test]
    fn a_client_learns_which_methods_and_which_key_are_expected() {
        let method = Failure::from(RequestError::MethodNotAllowed { method: "PUT".into(), allowed: "GET, HEAD" });
        assert_eq!(header(&method.to_http(1), "allow"), Some("GET, HEAD"));
        assert_eq!(header(&Failure::from(RequestError::InvalidApiKey).to_http(1), "www-authenticate"), Some("Bearer"));
    }
}
