//! `/debug`: the ledger, reset, and the fault rules in force.

use std::borrow::Cow;
use std::sync::Arc;

use hyper::body::Body as _;
use hyper::header::HeaderValue;
use hyper::{Method, Response, StatusCode};
use serde_json::Value;
use wire::BODY_BYTES_MAX;
use wire::error::RequestError;
use wire::operator;

use crate::failure::Failure;
use crate::faults::Rule;
use crate::http::{AnswerBody, IncomingRequest, json, read_body};
use crate::vendor::Vendor;

/// `GET /debug/stats`: the ledger. `?recent=N` limits its lists, for frequent requests.
pub(crate) fn stats(vendor: &Vendor, query: Option<&str>) -> Result<Response<AnswerBody>, RequestError> {
    let recent = match query.filter(|query| !query.is_empty()) {
        None => usize::MAX,
        Some(query) => query
            .strip_prefix("recent=")
            .and_then(|number| number.parse().ok())
            .ok_or_else(|| invalid("query", query, "recent=N, the number of newest entries in each list"))?,
    };
    Ok(json(StatusCode::OK, &vendor.counters.snapshot(recent)))
}

/// `POST /debug/reset`: as after a start. Answers with the ledger after it.
pub(crate) fn reset(vendor: &Vendor, request: &IncomingRequest<'_>) -> Result<Response<AnswerBody>, RequestError> {
    require_operator(request)?;
    vendor.reset();
    Ok(json(StatusCode::OK, &vendor.ledger()))
}

/// Rejects requests from web pages: a page open on this machine must not change the vendor.
fn require_operator(request: &IncomingRequest<'_>) -> Result<(), RequestError> {
    let header = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
    operator::check(header, !request.body().is_end_stream())
}

/// `/debug/faults`: GET shows the rules in force, POST replaces them, DELETE clears them. All answer with the rules
/// in force afterwards.
pub(crate) async fn faults(
    vendor: &Arc<Vendor>,
    request: IncomingRequest<'_>,
) -> Result<Response<AnswerBody>, Failure> {
    match *request.method() {
        Method::POST => {
            require_operator(&request)?;
            let body = read_body(request.into_body(), BODY_BYTES_MAX).await?;
            vendor.faults.replace(read_rules(&body)?);
        }
        Method::DELETE => {
            require_operator(&request)?;
            vendor.faults.replace(Vec::new());
        }
        _ => {}
    }
    Ok(json(StatusCode::OK, &serde_json::json!({"faults": vendor.faults.show()})))
}

/// Parses all rules before any is set.
fn read_rules(body: &[u8]) -> Result<Vec<Rule>, RequestError> {
    const EXPECTED: &str = "a list of rules, such as {\"faults\": [\"status=503;rate=0.3\"]}";
    let value: Value = serde_json::from_slice(body).map_err(|error| RequestError::InvalidJson(error.to_string()))?;
    let rules = match value.get("faults") {
        Some(Value::Array(rules)) => rules,
        Some(other) => return Err(invalid("faults", &other.to_string(), EXPECTED)),
        None => return Err(RequestError::MissingField { param: "faults".into(), expected: EXPECTED }),
    };
    let read = |(index, rule): (usize, &Value)| {
        let param = format!("faults[{index}]");
        let text = rule.as_str().ok_or_else(|| invalid(&param, &rule.to_string(), "a string"))?;
        text.parse().map_err(|error| invalid(&param, text, format!("a fault rule: {error}")))
    };
    rules.iter().enumerate().map(read).collect()
}

fn invalid(param: &str, found: &str, expected: impl Into<Cow<'static, str>>) -> RequestError {
    RequestError::InvalidValue {
        param: param.into(),
        found: found.chars().take(40).collect(),
        expected: expected.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_invalid_rule_is_an_error_that_names_it() {
        assert_eq!(read_rules(br#"{"faults":["hang","drip=1s"]}"#).unwrap().len(), 2);
        assert_eq!(read_rules(br#"{"faults":[]}"#), Ok(vec![]));
        for (body, param, said) in [
            (r#"{}"#, "faults", "missing"),
            (r#"[]"#, "faults", "missing"),
            (r#"{"faults":"hang"}"#, "faults", "a list of rules"),
            (r#"{"faults":["hang",3]}"#, "faults[1]", "a string"),
            (r#"{"faults":["hang","hagn"]}"#, "faults[1]", "unknown word 'hagn', expected status"),
        ] {
            let error = read_rules(body.as_bytes()).unwrap_err().body().error;
            assert_eq!(error.param.as_deref(), Some(param), "{body}");
            assert!(error.message.contains(said), "{body}: {}", error.message);
        }
    }
}
