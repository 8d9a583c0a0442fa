//! A vendor's answer with status 200: whether it is what was asked for.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::completion::Usage;
use crate::stream::{CompletionEvent, ReportedFailure};

/// What a vendor was asked for, and has to answer with status 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedResponse {
    /// A whole completion: JSON with a list of `choices`.
    Completion,
    /// The list of models: JSON with a list `data`.
    Models,
}

/// Why a body that came with status 200 is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidResponse {
    /// It is damaged: another answer may be whole.
    Malformed(String),
    /// It is whole, and of another kind: another answer would be, too.
    UnexpectedFormat(String),
    /// It reports a failure.
    Reported(ReportedFailure),
}

/// Reads a whole answer and gives the token counts, if it has any.
///
/// # Errors
/// What the body is in the place of an answer.
pub fn parse_response(
    asked: ExpectedResponse,
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
        other => InvalidResponse::UnexpectedFormat(format!("JSON was asked for, and {other} came")),
    };
    let text = str::from_utf8(body).map_err(|error| unreadable(error.to_string()))?;
    match CompletionEvent::read_json(text.trim()).map_err(|error| unreadable(error.to_string()))? {
        CompletionEvent::Error(reported) => Err(InvalidResponse::Reported(reported)),
        CompletionEvent::Chunk(reading) if asked == ExpectedResponse::Completion && reading.has_choices => {
            Ok(reading.usage)
        }
        _ if asked == ExpectedResponse::Models && serde_json::from_slice::<Models>(body).is_ok() => Ok(None),
        _ => {
            let list = if asked == ExpectedResponse::Completion { "choices" } else { "data" };
            Err(InvalidResponse::UnexpectedFormat(format!("there is no list '{list}' in it")))
        }
    }
}

/// Whether what has this content type is certainly no stream of events. Not every vendor gives its events
/// the type that they ought to have.
#[must_use]
pub fn is_not_event_stream(content_type: &str) -> bool {
    ["application/json", "text/html"].contains(&&*essence(content_type))
}

/// Reads what came in the place of a stream of events: some vendors report a failure like this.
#[must_use]
pub fn parse_non_stream_response(content_type: &str, body: &[u8]) -> InvalidResponse {
    match str::from_utf8(body).map(|text| CompletionEvent::read_json(text.trim())) {
        Ok(Ok(CompletionEvent::Error(reported))) => InvalidResponse::Reported(reported),
        _ => InvalidResponse::UnexpectedFormat(format!("a stream was asked for, and {} came", essence(content_type))),
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
    fn an_answer_is_json_with_its_list_and_everything_else_says_what_it_is() {
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
    fn what_comes_in_the_place_of_a_stream_may_report_a_failure() {
        assert!(is_not_event_stream("Application/JSON; charset=utf-8") && is_not_event_stream("text/html"));
        assert!(
            !is_not_event_stream("Text/Event-Stream") && !is_not_event_stream("text/plain") && !is_not_event_stream("")
        );
        let read = |body: &str| parse_non_stream_response("application/json", body.as_bytes());
        assert!(matches!(read(r#"{"error":{"message":"R"}}"#), InvalidResponse::Reported(of) if of.reason == "R"));
        assert!(matches!(read(r#"{"choices":[]}"#), InvalidResponse::UnexpectedFormat(_)));
    }
}
