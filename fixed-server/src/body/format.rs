use bytes::Bytes;
use wire::sse::{self, Event};
use wire::stream::{VendorEvent, token_event};

use crate::upstream::{Batch, Message};

/// What a stream's client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `/chat/stream`: `data: {"content":"..."}` for each token.
    Tokens,
    /// OpenAI's routes: the vendor's events, passed on.
    Chunks,
}

impl Format {
    /// `batch` as this format has it; empty where it has nothing of it.
    pub(super) fn render(self, batch: Batch) -> Bytes {
        match (self, batch.verbatim) {
            (Format::Chunks, Some(bytes)) => bytes,
            (Format::Chunks, None) => batch.messages.iter().map(encode).collect::<String>().into(),
            (Format::Tokens, _) => batch.messages.iter().filter_map(token).collect::<String>().into(),
        }
    }
}

fn token(message: &Message) -> Option<String> {
    match &message.content {
        VendorEvent::Done => Some(sse::DONE.to_owned()),
        other => other.text().map(token_event),
    }
}

/// The event anew, where a read ended inside one: a client is never sent half an event, because what
/// may follow is an error.
fn encode(Message { event: Event { name, data }, .. }: &Message) -> String {
    let name = name.iter().map(|name| format!("event: {name}\n"));
    let lines = data.split('\n').map(|line| format!("data: {line}\n"));
    name.chain(lines).chain(["\n".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: Option<&str>, data: &str) -> Message {
        let event = Event { name: name.map(Into::into), data: data.into() };
        let content = VendorEvent::read_json(r#"{"choices":[{"delta":{"content":"a\nb"}}]}"#).unwrap();
        Message { event, content }
    }

    #[test]
    fn whole_reads_are_passed_on_as_they_came_and_others_event_by_event() {
        let messages = || vec![message(None, "1"), message(Some("x"), "2\n3")];
        let came = Bytes::from_static(b": ping\r\ndata:1\r\n\r\n...");
        let whole = Batch { messages: messages(), verbatim: Some(came.clone()) };
        assert_eq!(Format::Chunks.render(whole), came);
        let parts = Batch { messages: messages(), verbatim: None };
        assert_eq!(Format::Chunks.render(parts), "data: 1\n\nevent: x\ndata: 2\ndata: 3\n\n");
    }

    #[test]
    fn tokens_are_rendered_without_what_surrounds_them() {
        let silent = VendorEvent::read_json(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#).unwrap();
        let mut messages = vec![message(None, "{}"), message(None, "{}"), message(None, "[DONE]")];
        messages[1].content = silent;
        messages[2].content = VendorEvent::Done;
        let batch = Batch { messages, verbatim: Some(Bytes::from_static(b"...")) };
        assert_eq!(Format::Tokens.render(batch), "data: {\"content\":\"a\\nb\"}\n\ndata: [DONE]\n\n");
    }
}
