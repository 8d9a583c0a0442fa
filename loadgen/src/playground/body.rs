//! The body of a page's request: a small JSON object.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use serde_json::{Map, Value};
use tokio::time::timeout;
use wire::error::RequestError;

use crate::session::SessionArm;

/// Largest body, in bytes (16 KiB).
const BYTES_MAX: usize = 16 * 1024;
/// How long a body may take to arrive.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The fields of a request.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads them. An empty body has none.
    ///
    /// # Errors
    /// [`RequestError`] for a body that is too large or too slow, or no JSON object.
    pub(super) async fn read(body: Body) -> Result<Self, RequestError> {
        let read = timeout(TIMEOUT, to_bytes(body, BYTES_MAX)).await.map_err(|_| RequestError::BodyTimeout)?;
        Self::parse(&read.map_err(|_| RequestError::BodyTooLarge { limit: BYTES_MAX })?)
    }

    fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.is_empty() {
            return Ok(Fields(Map::new()));
        }
        match serde_json::from_slice(body).map_err(|error| RequestError::InvalidJson(error.to_string()))? {
            Value::Object(fields) => Ok(Fields(fields)),
            other => Err(RequestError::InvalidJson(format!("it is {}, expected an object", shorten(&other)))),
        }
    }

    /// A text.
    pub(super) fn text(&self, param: &str, expected: &'static str) -> Result<&str, RequestError> {
        let value = self.value(param, expected)?;
        value.as_str().ok_or_else(|| invalid(param, value, expected))
    }

    /// A whole number.
    pub(super) fn count(&self, param: &str) -> Result<u64, RequestError> {
        const EXPECTED: &str = "a whole number from 0";
        let value = self.value(param, EXPECTED)?;
        value.as_u64().ok_or_else(|| invalid(param, value, EXPECTED))
    }

    /// Yes or no.
    pub(super) fn yes(&self, param: &str) -> Result<bool, RequestError> {
        const EXPECTED: &str = "true or false";
        let value = self.value(param, EXPECTED)?;
        value.as_bool().ok_or_else(|| invalid(param, value, EXPECTED))
    }

    /// An arm, in the field `arm`.
    pub(super) fn arm(&self) -> Result<SessionArm, RequestError> {
        const EXPECTED: &str = "broken or fixed";
        let name = self.text("arm", EXPECTED)?;
        SessionArm::parse(name).ok_or_else(|| invalid("arm", &Value::from(name), EXPECTED))
    }

    fn value(&self, param: &str, expected: &'static str) -> Result<&Value, RequestError> {
        self.0.get(param).ok_or_else(|| RequestError::MissingField { param: param.to_owned(), expected })
    }
}

fn invalid(param: &str, found: &Value, expected: &'static str) -> RequestError {
    RequestError::InvalidValue { param: param.to_owned(), found: shorten(found), expected: expected.into() }
}

fn shorten(value: &Value) -> String {
    value.to_string().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_input_is_named_with_what_is_allowed() {
        let said = |body: &str, read: &dyn Fn(&Fields) -> Option<RequestError>| {
            let error = match Fields::parse(body.as_bytes()) {
                Ok(fields) => read(&fields).unwrap(),
                Err(error) => error,
            };
            (error.status(), error.body().error.message)
        };
        let count = |fields: &Fields| fields.count("count").err();
        for (body, expected) in [
            ("{", "the body is not valid JSON"),
            ("[1]", "it is [1], expected an object"),
            ("", "'count' is missing: a whole number from 0"),
            ("{}", "'count' is missing"),
            (r#"{"count":"5"}"#, r#"'count' is "5", expected a whole number from 0"#),
            (r#"{"count":-1}"#, "'count' is -1"),
            (r#"{"count":1.5}"#, "'count' is 1.5"),
        ] {
            let (status, message) = said(body, &count);
            assert!(status == 400 && message.contains(expected), "{body}: {message}");
        }
        assert_eq!(said(r#"{"on":1}"#, &|fields| fields.yes("on").err()).1, "'on' is 1, expected true or false");
        let arm = |fields: &Fields| fields.arm().err();
        assert_eq!(said(r#"{"arm":"control"}"#, &arm).1, r#"'arm' is "control", expected broken or fixed"#);
        assert_eq!(Fields::parse(br#"{"arm":"fixed"}"#).unwrap().arm(), Ok(SessionArm::Fixed));
    }
}
