//! The second call of a request for a summary.

use serde_json::{Value, json};
use wire::chat::ChatRequest;

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

impl SummaryRequest {
    /// Asks for a summary of `answer`, a whole completion, of the model that the call with the body `asked` names.
    ///
    /// # Errors
    /// [`UpstreamFailure::UnexpectedFormat`] for an answer without text.
    pub fn of(asked: &[u8], answer: &[u8]) -> Result<Self, UpstreamFailure> {
        let member = |json: &[u8], pointer: &str| -> Option<Value> {
            serde_json::from_slice::<Value>(json).ok()?.pointer_mut(pointer).map(Value::take)
        };
        let text = member(answer, "/choices/0/message/content");
        let Some(Value::String(text)) = text else {
            return Err(UpstreamFailure::UnexpectedFormat("it has no text to summarize".into()));
        };
        let messages = json!([{"role": "user", "content": format!("{PROMPT}{text}")}]);
        let body = json!({"model": member(asked, "/model"), "messages": messages, "stream": false}).to_string();
        let prompt_tokens = ChatRequest::parse_relayed(body.as_bytes()).map_or(1, |request| request.prompt_tokens());
        Ok(SummaryRequest { body: body.into_bytes(), prompt_tokens })
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
