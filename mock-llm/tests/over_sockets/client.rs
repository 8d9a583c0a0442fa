//! A client over raw sockets: bytes, and how a connection ends.

use std::io::ErrorKind;
use std::time::Duration;

use mock_llm::MockLlm;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use wire::ledger::Ledger;
use wire::sse::{Decoder, EVENT_BYTES_MAX};
use wire::stream::CompletionEvent;

/// Timeout of every wait: far above what any of them takes.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// How a connection ended, as its client saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The response was complete.
    Whole,
    /// A FIN before that.
    Closed,
    /// A RST.
    Reset,
    /// Nothing more arrived within the time given.
    Silent,
}

/// The response to a request, as far as it arrived.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The status; none if nothing arrived.
    pub(crate) status: Option<u16>,
    /// The response's head, in lower case.
    pub(crate) head: String,
    /// Its body, without chunk sizes.
    pub(crate) body: Vec<u8>,
    /// How it ended.
    pub(crate) end: End,
}

/// A connection with a request on it.
#[derive(Debug)]
pub(crate) struct Call {
    socket: TcpStream,
    bytes: Vec<u8>,
}

/// A request for a streamed or a complete answer.
pub(crate) fn body(stream: bool) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": stream})
}

/// Sends a chat completion with these headers.
pub(crate) async fn post(mock: &MockLlm, headers: &[(&str, &str)], body: &Value) -> Call {
    send(mock, "POST", "/v1/chat/completions", headers, &body.to_string()).await
}

/// Sends any request, on a new connection.
pub(crate) async fn send(mock: &MockLlm, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Call {
    let mut request = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        request += "content-type: application/json\r\n";
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request += "host: localhost\r\n";
    }
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("content-length: {}\r\n\r\n{body}", body.len());
    let mut socket = TcpStream::connect(mock.addr()).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    Call { socket, bytes: Vec::new() }
}

impl Call {
    /// Reads to the end, or until nothing arrives for `silence`.
    pub(crate) async fn read(mut self, silence: Duration) -> Seen {
        loop {
            if let Some(seen) = self.whole_response() {
                return seen;
            }
            let end = match tokio::time::timeout(silence, self.socket.read_buf(&mut self.bytes)).await {
                Err(_) => End::Silent,
                Ok(Ok(0)) => End::Closed,
                Ok(Ok(_)) => continue,
                Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
                Ok(Err(error)) => panic!("{error}"),
            };
            return self.seen(end);
        }
    }

    /// Reads to the end, which must come within [`TIMEOUT`].
    pub(crate) async fn finish(self) -> Seen {
        let seen = self.read(TIMEOUT).await;
        assert_ne!(seen.end, End::Silent, "nothing arrived for {TIMEOUT:?}");
        seen
    }

    /// Reads an answer that is too large to parse after each read.
    pub(crate) async fn finish_large(mut self) -> Seen {
        while !self.bytes.ends_with(b"\r\n0\r\n\r\n") {
            let read = tokio::time::timeout(TIMEOUT, self.socket.read_buf(&mut self.bytes)).await;
            assert_ne!(read.unwrap().unwrap(), 0, "the connection was closed");
        }
        self.seen(End::Whole)
    }

    /// The connection itself.
    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// The connection without what was read.
    pub(crate) fn into_socket(self) -> TcpStream {
        self.socket
    }

    fn whole_response(&self) -> Option<Seen> {
        let seen = self.seen(End::Whole);
        let length = header(&seen.head, "content-length").and_then(|length| length.parse::<usize>().ok());
        let whole = match length {
            Some(length) => seen.body.len() == length,
            None => self.bytes.ends_with(b"\r\n0\r\n\r\n"),
        };
        (seen.status.is_some() && whole).then_some(seen)
    }

    fn seen(&self, end: End) -> Seen {
        let Some(head_end) = self.bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Seen { status: None, head: String::new(), body: Vec::new(), end };
        };
        let head = String::from_utf8(self.bytes[..head_end].to_vec()).unwrap().to_lowercase();
        let raw = &self.bytes[head_end + 4..];
        let body = if head.contains("transfer-encoding: chunked") { unchunk(raw) } else { raw.to_vec() };
        Seen { status: head.get(9..12).and_then(|status| status.parse().ok()), head, body, end }
    }
}

impl Seen {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The events of the body; an error where one is malformed.
    pub(crate) fn events(&self) -> Vec<Result<CompletionEvent, String>> {
        let mut events = Vec::new();
        Decoder::new(EVENT_BYTES_MAX).decode(&self.body, &mut events).unwrap();
        events.iter().map(|event| CompletionEvent::read(event).map_err(|error| error.to_string())).collect()
    }

    /// The text of a streamed answer, as far as it arrived.
    pub(crate) fn text(&self) -> String {
        let text = |event| match event {
            Ok(CompletionEvent::Chunk(chunk)) => chunk.text,
            _ => None,
        };
        self.events().into_iter().filter_map(text).collect()
    }

    /// Whether the stream ended with `[DONE]`.
    pub(crate) fn is_done(&self) -> bool {
        self.events().last() == Some(&Ok(CompletionEvent::Done))
    }
}

/// Waits until the ledger fulfils the condition.
pub(crate) async fn until(mock: &MockLlm, condition: impl Fn(&Ledger) -> bool) -> Ledger {
    let wait = async {
        loop {
            let ledger = mock.ledger();
            if condition(&ledger) {
                return ledger;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    match tokio::time::timeout(TIMEOUT, wait).await {
        Ok(ledger) => ledger,
        Err(_) => panic!("not within {TIMEOUT:?}: {:?}", mock.ledger()),
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The data of complete chunks.
fn unchunk(mut raw: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(line_end) = raw.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(str::from_utf8(&raw[..line_end]).unwrap(), 16).unwrap();
        let Some(chunk) = raw.get(line_end + 2..line_end + 2 + size) else { break };
        data.extend_from_slice(chunk);
        raw = raw.get(line_end + 2 + size + 2..).unwrap_or_default();
    }
    data
}
