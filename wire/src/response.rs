//! A vendor's response with status 200: whether it is what was requested.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::completion::Usage;
use crate::stream::{CompletionEvent, ReportedFailure};

/// What a response with status 200 must contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedResponse {
    /// A whole completion: JSON with a list of `choices`.
    Completion,
    /// The list of models: JSON with a list `data`.
    Models,
}

/// Why the body of a response with status 200 is not an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidResponse {
    /// It is damaged. Another attempt may succeed.
    Malformed(String),
    /// It is intact and something else. Another attempt would get the same.
    UnexpectedFormat(String),
    /// It reports a failure.
    Reported(ReportedFailure),
}

/// Parses a whole answer and returns its token counts, if any.
///
/// # Errors
/// [`InvalidResponse`]: what the body is instead of an answer.
pub fn parse_response(
    expected: ExpectedResponse,
    content_type: &str,
    body: &[u8],
) -> Result<Option<Usage>, InvalidResponse> {
    #[derive(Deserialize)]
    struct Models {
        #[serde(rename = "data")]
        _data: Vec<IgnoredAny>,
    }
    let kind = essence(content_type);
    let unreadable = |error: String| match &*kind {
        "" | "application/json" => InvalidResponse::Malformed(error),
        other => InvalidResponse::UnexpectedFormat(format!("expected JSON, got {other}")),
    };
    let text = str::from_utf8(body).map_err(|error| unreadable(error.to_string()))?;
    match CompletionEvent::read_json(text.trim()).map_err(|error| unreadable(error.to_string()))? {
        CompletionEvent::Error(reported) => Err(InvalidResponse::Reported(reported)),
        CompletionEvent::Chunk(reading) if expected == ExpectedResponse::Completion && reading.has_choices => {
            Ok(reading.usage)
        }
        _ if expected == ExpectedResponse::Models && serde_json::from_slice::<Models>(body).is_ok() => Ok(None),
        _ => {
            let list = if expected == ExpectedResponse::Completion { "choices" } else { "data" };
            Err(InvalidResponse::UnexpectedFormat(format!("it has no list '{list}'")))
        }
    }
}

/// Whether a body with this content type is certainly not an event stream. Not every vendor sends its events with the
/// right content type.
#[must_use]
pub fn is_not_event_stream(content_type: &str) -> bool {
    ["application/json", "text/html"].contains(&&*essence(content_type))
}

/// Parses what a vendor sent instead of an event stream: some report failures like this.
#[must_use]
pub fn parse_non_stream_response(content_type: &str, body: &[u8]) -> InvalidResponse {
    match str::from_utf8(body).map(|text| CompletionEvent::read_json(text.trim())) {
        Ok(Ok(CompletionEvent::Error(reported))) => InvalidResponse::Reported(reported),
        _ => InvalidResponse::UnexpectedFormat(format!("expected an event stream, got {}", essence(content_type))),
    }
}

/// A content type in lower case, without its parameters.
fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_json_with_its_list_and_all_else_is_an_error() {
        let json = "application/json; charset=utf-8";
        let read = |body: &str| parse_response(ExpectedResponse::Completion, json, body.as_bytes());
        let usage = r#"{"choices":[{"message":{"content":"a"}}],"usage":{"total_tokens":7}}"#;
        assert_eq!(read(usage).unwrap().unwrap().total_tokens, 7);
        assert_eq!(read(r#" {"choices":[],"usage":{},"id":5} "#), Ok(None));
        assert!(matches!(read(r#"{"choices":["#), Err(InvalidResponse::Malformed(_))));
        for other in [r#"{"hello":"world"}"#, r#"{"choices":null}"#, r#"{"data":[]}"#, "[]", "null"] {
            assert!(matches!(read(other), Err(InvalidResponse::UnexpectedFormat(_))), "{other}");
        }
        for failure in [r#"{"error":"R"}"#, r#"{"choices":[{"finish_reason":"error","error":{"message":"R"}}]}"#] {
            assert!(matches!(read(failure), Err(InvalidResponse::Reported(of)) if of.reason == "R"), "{failure}");
        }
        let html = parse_response(ExpectedResponse::Completion, "Text/HTML", b"<h1>hello</h1>");
        assert!(matches!(html, Err(InvalidResponse::UnexpectedFormat(_))), "{html:?}");
        assert_eq!(parse_response(ExpectedResponse::Models, json, br#"{"data":[]}"#), Ok(None));
        assert!(parse_response(ExpectedResponse::Models, json, br#"{"data":{}}"#).is_err());
    }

    #[test]
    fn a_failure_sent_instead_of_a_stream_is_recognized() {
        assert!(is_not_event_stream("Application/JSON; charset=utf-8") && is_not_event_stream("text/html"));
        assert!(
            !is_not_event_stream("Text/Event-Stream") && !is_not_event_stream("text/plain") && !is_not_event_stream("")
        );
        let read = |body: &str| parse_non_stream_response("application/json", body.as_bytes());
        assert!(matches!(read(r#"{"error":{"message":"R"}}"#), InvalidResponse::Reported(of) if of.reason == "R"));
        assert!(matches!(read(r#"{"choices":[]}"#), InvalidResponse::UnexpectedFormat(_)));
    }
}
