//! The parts of scripts: responses as bytes.

use std::time::Duration;

use serde_json::{Value, json};

/// One step of a vendor. After the last one it closes the connection.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Waits.
    Pause(Duration),
    /// Sends nothing more and keeps the connection open.
    Stall,
    /// Ends the connection with a TCP reset; only as the last step.
    Reset,
}

/// A whole answer.
#[must_use]
pub fn answer(status: u16, content_type: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Scripted\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n");
    vec![Step::Send(format!("{head}Connection: close\r\n\r\n{body}").into_bytes())]
}

/// A whole completion with this text.
#[must_use]
pub fn completion(text: &str) -> Vec<Step> {
    let choice = json!({ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" });
    let usage = json!({ "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3 });
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "mock-llm",
        "choices": [choice], "usage": usage,
    });
    answer(200, "application/json", &body.to_string())
}

/// A redirection that keeps the method.
#[must_use]
pub fn redirect(location: &str) -> Vec<Step> {
    let head = format!("HTTP/1.1 307 Scripted\r\nLocation: {location}\r\nContent-Length: 0\r\n");
    vec![Step::Send(format!("{head}Connection: close\r\n\r\n").into_bytes())]
}

/// The same answer over a connection that the vendor claims to keep open, but closes.
#[must_use]
pub fn closed_although_kept(script: Vec<Step>) -> Vec<Step> {
    let keep = |step| match step {
        Step::Send(bytes) => {
            Step::Send(String::from_utf8_lossy(&bytes).replace("Connection: close\r\n", "").into_bytes())
        }
        other => other,
    };
    script.into_iter().map(keep).collect()
}

/// The head of a stream, in chunked encoding.
#[must_use]
pub fn head() -> Step {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n";
    Step::Send(format!("{head}Connection: close\r\n\r\n").into_bytes())
}

/// `bytes` as one chunk of the encoding.
#[must_use]
pub fn chunk(bytes: &[u8]) -> Step {
    Step::Send([format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
}

/// The end of the encoding: the body is whole as far as HTTP can tell.
#[must_use]
pub fn last_chunk() -> Step {
    Step::Send(b"0\r\n\r\n".to_vec())
}

/// The event that names the role: no text yet.
#[must_use]
pub fn role() -> Step {
    chunk(event(&delta(json!({ "role": "assistant", "content": "" }), Value::Null)).as_bytes())
}

/// The event of one token.
#[must_use]
pub fn token(text: &str) -> Step {
    chunk(token_event(text).as_bytes())
}

/// The events that end a whole stream.
#[must_use]
pub fn done() -> Step {
    let finish = event(&delta(json!({}), json!("stop")));
    chunk(format!("{finish}data: [DONE]\n\n").as_bytes())
}

/// A whole stream of these tokens.
#[must_use]
pub fn stream(tokens: &[&str]) -> Vec<Step> {
    let mut steps = vec![head(), role()];
    steps.extend(tokens.iter().map(|text| token(text)));
    steps.extend([done(), last_chunk()]);
    steps
}

/// The same stream in chunks of `size` bytes, which may split an event, a line or a character.
#[must_use]
pub fn stream_in_pieces(tokens: &[&str], size: usize) -> Vec<Step> {
    let text: String = tokens.iter().map(|text| token_event(text)).collect();
    let bytes = [text.as_bytes(), b"data: [DONE]\n\n"].concat();
    let mut steps = vec![head()];
    steps.extend(bytes.chunks(size).map(chunk));
    steps.push(last_chunk());
    steps
}

/// What a vendor sends when it fails after its 200.
#[must_use]
pub fn error_event() -> Step {
    let error = json!({ "message": "the model has crashed", "type": "server_error", "code": null, "param": null });
    chunk(event(&json!({ "error": error })).as_bytes())
}

/// An OpenAI error body, which a server that passes it on must not change.
#[must_use]
pub fn error_body(message: &str) -> String {
    let error = json!({ "message": message, "type": "invalid_request_error", "code": "scripted", "param": "messages" });
    json!({ "error": error }).to_string()
}

fn token_event(text: &str) -> String {
    event(&delta(json!({ "content": text }), Value::Null))
}

fn delta(delta: Value, finish_reason: Value) -> Value {
    let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish_reason });
    json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "mock-llm", "choices": [choice] })
}

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}
