//! `/chat/stream` and OpenAI's streams, checked against their formats.

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use wire::error::ErrorDetail;
use wire::sse::Event;

use crate::error_shape;

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// `data: [DONE]`: complete.
    Done,
    /// `event: error`: failed, with an error for the client.
    Failed(ErrorDetail),
    /// Neither: truncated, which a client cannot notice.
    Silent,
}

/// A stream of `/chat/stream`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// The text of each event.
    pub tokens: Vec<String>,
    /// How it ended.
    pub end: End,
}

impl Chat {
    /// Reads the events of `/chat/stream`: only `{"content"}`, then exactly one end.
    ///
    /// # Errors
    /// The first event that is not in the format.
    pub fn of(events: &[Event]) -> anyhow::Result<Self> {
        let (data, end) = split_end(events)?;
        let token = |data: &Value| match data.as_object() {
            Some(members) if members.len() == 1 => members.get("content").and_then(Value::as_str).map(str::to_owned),
            _ => None,
        };
        let tokens = data.iter().map(|data| token(data).with_context(|| format!("no {{\"content\"}}: {data}")));
        Ok(Chat { tokens: tokens.collect::<Result<_, _>>()?, end })
    }
}

/// A stream of OpenAI's chat completions.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// Its chunks, the usage chunk included.
    pub chunks: Vec<Value>,
    /// How it ended.
    pub end: End,
}

impl Completion {
    /// Reads the events of a streamed completion: chunks in OpenAI's shape, all with one id.
    ///
    /// # Errors
    /// The first event that is not in the format.
    pub fn of(events: &[Event]) -> anyhow::Result<Self> {
        let (chunks, end) = split_end(events)?;
        for chunk in &chunks {
            ensure!(chunk["object"] == "chat.completion.chunk", "no chunk: {chunk}");
            ensure!(
                chunk["id"].is_string() && chunk["id"] == chunks[0]["id"],
                "no id, or another than before: {chunk}"
            );
            ensure!(chunk["created"].is_u64() && chunk["model"].is_string(), "no time or no model: {chunk}");
            ensure!(chunk["choices"].is_array(), "no choices: {chunk}");
        }
        Ok(Completion { chunks, end })
    }

    /// The text of all chunks.
    #[must_use]
    pub fn text(&self) -> String {
        self.tokens().concat()
    }

    /// The text of each chunk that has text.
    #[must_use]
    pub fn tokens(&self) -> Vec<String> {
        let text = |chunk: &Value| chunk["choices"][0]["delta"]["content"].as_str().map(str::to_owned);
        self.chunks.iter().filter_map(text).filter(|text| !text.is_empty()).collect()
    }

    /// All finish reasons.
    #[must_use]
    pub fn finish_reasons(&self) -> Vec<&str> {
        self.chunks.iter().filter_map(|chunk| chunk["choices"][0]["finish_reason"].as_str()).collect()
    }
}

/// The JSON of all events but the last, and the end that the last one stands for.
fn split_end(events: &[Event]) -> anyhow::Result<(Vec<Value>, End)> {
    let (before, end) = match events.split_last() {
        Some((last, before)) if last.name.as_deref() == Some("error") => {
            let body = serde_json::from_str(&last.data).with_context(|| format!("no JSON: {}", last.data))?;
            (before, End::Failed(error_shape::detail(&body)?))
        }
        Some((last, before)) if last.data == "[DONE]" && last.name.is_none() => (before, End::Done),
        _ => (events, End::Silent),
    };
    let mut data = Vec::with_capacity(before.len());
    for event in before {
        if let Some(name) = &event.name {
            bail!("an event called {name} that is not the last: {}", event.data);
        }
        data.push(serde_json::from_str(&event.data).with_context(|| format!("no JSON: {}", event.data))?);
    }
    Ok((data, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: Option<&str>, data: &str) -> Event {
        Event { name: name.map(Into::into), data: data.into() }
    }

    #[test]
    fn a_whole_stream_and_a_cut_one_are_told_apart() {
        let token = event(None, r#"{"content":"a"}"#);
        let done = event(None, "[DONE]");
        let chat = |events: &[Event]| Chat::of(events).unwrap();
        assert_eq!(chat(&[token.clone(), done]), Chat { tokens: vec!["a".into()], end: End::Done });
        assert_eq!(chat(&[token]).end, End::Silent);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for data in ["a", "{}", r#"{"content":1}"#, r#"{"content":"a","more":1}"#] {
            assert!(Chat::of(&[event(None, data)]).is_err(), "{data}");
        }
    }

    #[test]
    fn nothing_may_follow_the_end() {
        let error = r#"{"error":{"message":"m","type":"t","code":null,"param":null}}"#;
        let token = event(None, r#"{"content":"a"}"#);
        assert!(Chat::of(&[event(None, "[DONE]"), token.clone()]).is_err());
        assert!(Chat::of(&[event(Some("error"), error), token]).is_err());
        assert!(Chat::of(&[event(Some("error"), error), event(None, "[DONE]")]).is_err());
        assert!(matches!(Chat::of(&[event(Some("error"), error)]).unwrap().end, End::Failed(_)));
    }
}
