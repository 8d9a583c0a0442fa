//! The second call of a request for a summary.

use serde::Deserialize;
use serde_json::{Value, json};
use wire::chat::estimated_tokens;

use crate::upstream_failure::UpstreamFailure;

/// What the vendor is asked before the answer that it should summarize.
const PROMPT: &str = "Summarize in one sentence:\n\n";

/// A call that asks for a summary of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryRequest {
    /// Its body.
    pub body: Vec<u8>,
    /// Estimated tokens of its prompt.
    pub prompt_tokens: u64,
}

/// What is read of the call that was asked for, whose messages may be large. Its body is one that
/// [`to_upstream_body`](wire::chat::ChatRequest::to_upstream_body) wrote: each field stands in it once.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    model: Value,
}

impl SummaryRequest {
    /// Asks for a summary of `answer`, a whole completion, of the model that the call with the body `asked` names.
    ///
    /// # Errors
    /// [`UpstreamFailure::UnexpectedFormat`] for an answer without text.
    pub fn of(asked: &[u8], answer: &[u8]) -> Result<Self, UpstreamFailure> {
        let mut answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let Some(Value::String(text)) = answer.pointer_mut("/choices/0/message/content").map(Value::take) else {
            return Err(UpstreamFailure::UnexpectedFormat("it has no text to summarize".into()));
        };
        let model = serde_json::from_slice(asked).map_or(Value::Null, |Asked { model }| model);
        let prompt = format!("{PROMPT}{text}");
        let prompt_tokens = estimated_tokens(prompt.len());
        let body = json!({"model": model, "messages": [{"role": "user", "content": prompt}], "stream": false});
        Ok(SummaryRequest { body: body.to_string().into_bytes(), prompt_tokens })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(answer: &Value) -> Result<SummaryRequest, UpstreamFailure> {
        SummaryRequest::of(br#"{"model":"small","messages":[]}"#, answer.to_string().as_bytes())
    }

    #[test]
    fn it_has_the_text_of_the_answer_and_the_model_of_the_question() {
        let of =
            summary(&json!({"choices": [{"message": {"role": "assistant", "content": "a \"long\" story"}}]})).unwrap();
        let body: Value = serde_json::from_slice(&of.body).unwrap();
        assert_eq!(body["model"], "small");
        let content = body["messages"][0]["content"].as_str().unwrap();
        assert!(content.ends_with("a \"long\" story"), "{content}");
        assert_eq!(of.prompt_tokens, content.len().div_ceil(4) as u64);
    }

    #[test]
    fn an_answer_without_text_cannot_be_summarized() {
        for answer in [json!({"choices": []}), json!({"choices": [{"message": {"content": null}}]}), json!("text")] {
            assert!(matches!(summary(&answer), Err(UpstreamFailure::UnexpectedFormat(_))), "{answer}");
        }
    }
}
