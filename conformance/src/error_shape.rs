//! Checks that an error body has the contract's format and leaks nothing internal.

use anyhow::{Context, ensure};
use serde_json::Value;
use wire::REQUEST_ID_HEADER;
use wire::error::ErrorDetail;

use crate::answer::Answer;

/// What must not be in an error body: addresses, crates, source files, the system's messages.
const INTERNAL: [&str; 19] = [
    "127.0.0.1",
    "localhost",
    "http://",
    "reqwest",
    "ureq",
    "hyper",
    "actix",
    "axum",
    "tokio",
    "serde",
    "os error",
    "connection refused",
    "connection reset",
    "broken pipe",
    "panicked",
    "/src/",
    ".rs:",
    "/home/",
    "/target/",
];

/// The error of a response, which must have this status, JSON and a request id.
///
/// # Errors
/// Which of these does not hold.
pub fn refusal(answer: &Answer, status: u16) -> anyhow::Result<ErrorDetail> {
    let detail = detail(&answer.json(status)?)?;
    ensure!(answer.header(REQUEST_ID_HEADER).is_some(), "no {REQUEST_ID_HEADER}: {:?}", answer.headers);
    Ok(detail)
}

/// The error in a body, which must be exactly `{"error":{"message","type","code","param"}}` with nothing
/// internal in it.
///
/// # Errors
/// What is wrong with the body.
pub fn detail(body: &Value) -> anyhow::Result<ErrorDetail> {
    let members = body.as_object().with_context(|| format!("no object: {body}"))?;
    ensure!(members.len() == 1 && body["error"].is_object(), "not {{\"error\":{{...}}}}: {body}");
    for (name, may_be_null) in [("message", false), ("type", false), ("code", true), ("param", true)] {
        let value = body["error"].get(name).with_context(|| format!("no '{name}': {body}"))?;
        let text = value.as_str().is_some_and(|text| !text.is_empty());
        ensure!(text || (may_be_null && value.is_null()), "'{name}' is {value}: {body}");
    }
    ensure!(body["error"].as_object().is_some_and(|error| error.len() == 4), "more than four members: {body}");
    let lower = body.to_string().to_lowercase();
    let leaked: Vec<_> = INTERNAL.iter().filter(|word| lower.contains(**word)).collect();
    ensure!(leaked.is_empty(), "leaks {leaked:?}: {body}");
    Ok(serde_json::from_value(body["error"].clone())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_four_members_are_needed_and_no_more() {
        let whole = json!({"error": {"message": "m", "type": "t", "code": null, "param": null}});
        assert!(detail(&whole).is_ok());
        for member in ["message", "type", "code", "param"] {
            let mut without = whole.clone();
            without["error"].as_object_mut().unwrap().remove(member);
            assert!(detail(&without).is_err(), "{member}");
        }
        let mut more = whole.clone();
        more["error"]["cause"] = json!("x");
        assert!(detail(&more).is_err());
        assert!(detail(&json!({"detail": "m"})).is_err());
    }

    #[test]
    fn a_source_error_in_the_message_is_seen() {
        let message = "error sending request: Connection refused (os error 111)";
        assert!(detail(&json!({"error": {"message": message, "type": "t", "code": null, "param": null}})).is_err());
    }
}
