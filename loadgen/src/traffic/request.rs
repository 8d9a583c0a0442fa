//! A request of a load.

use std::time::Duration;

use bytes::Bytes;

use crate::http::bearer;

const CONTENT_TYPE: &str = "content-type";
const JSON: &str = "application/json";
/// The key of the user `demo`, which both servers know.
pub const DEMO_KEY: &str = "demo-key";
/// Body of a chat with one message.
pub const CHAT: &str = r#"{"messages":[{"role":"user","content":"test"}]}"#;

/// A request, and the kind of answer that it should get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `POST`, `GET`.
    pub method: String,
    /// `/chat/stream`.
    pub path: String,
    /// Headers besides `Host` and `Connection`.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Bytes,
    /// The kind of answer that is expected.
    pub answer: ExpectedAnswer,
}

/// The kind of answer that is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedAnswer {
    /// A complete event stream.
    Stream,
    /// A body that reports no error, from an endpoint that does not stream.
    Whole,
    /// A whole chat completion, and nothing else.
    Completion,
}

impl ExpectedAnswer {
    /// Whether it is a stream.
    #[must_use]
    pub fn is_stream(self) -> bool {
        self == ExpectedAnswer::Stream
    }
}

impl Request {
    /// A stream: `POST /chat/stream` with one message.
    #[must_use]
    pub fn chat() -> Self {
        Request::post("/chat/stream", CHAT, ExpectedAnswer::Stream)
    }

    /// A whole answer: `POST /llm` with one message.
    #[must_use]
    pub fn whole() -> Self {
        Request::post("/llm", CHAT, ExpectedAnswer::Whole)
    }

    /// OpenAI's `POST /v1/chat/completions` with one message and the key of the user `demo`, answered as a whole.
    #[must_use]
    pub fn completion() -> Self {
        const BODY: &str = r#"{"model":"mock-llm","messages":[{"role":"user","content":"test"}]}"#;
        Request::post("/v1/chat/completions", BODY, ExpectedAnswer::Completion).key(DEMO_KEY)
    }

    /// [`Request::completion`], answered as a stream.
    #[must_use]
    pub fn completion_stream() -> Self {
        const BODY: &str = r#"{"model":"mock-llm","stream":true,"messages":[{"role":"user","content":"test"}]}"#;
        Request { answer: ExpectedAnswer::Stream, ..Request::completion().body(BODY) }
    }

    /// `GET path`, which the server answers by itself.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        let (headers, body) = (Vec::new(), Bytes::new());
        Request { method: "GET".to_owned(), path: path.into(), headers, body, answer: ExpectedAnswer::Whole }
    }

    /// `POST path` with this JSON.
    #[must_use]
    pub fn post(path: impl Into<String>, json: impl Into<Bytes>, answer: ExpectedAnswer) -> Self {
        Request { method: "POST".to_owned(), answer, ..Request::get(path) }.body(json)
    }

    /// The same to another path.
    #[must_use]
    pub fn at(self, path: impl Into<String>) -> Self {
        Request { path: path.into(), ..self }
    }

    /// With this JSON as its body.
    #[must_use]
    pub fn body(self, json: impl Into<Bytes>) -> Self {
        Request { body: json.into(), ..self.header(CONTENT_TYPE, JSON) }
    }

    /// With this header in place of any other one of that name.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
        self.headers.push((name, value.into()));
        self
    }

    /// With these headers, each in place of the default of its name. One may be given more than once.
    #[must_use]
    pub fn with_headers(mut self, given: &[(String, String)]) -> Self {
        self.headers.retain(|(default, _)| given.iter().all(|(name, _)| !name.eq_ignore_ascii_case(default)));
        self.headers.extend(given.iter().cloned());
        self
    }

    /// With this API key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        let (name, value) = bearer(key);
        self.header(name, value)
    }

    /// From this user. The servers tell users apart by their keys, on the routes that require one; the key of the user
    /// `NAME` is `NAME-key`.
    #[must_use]
    pub fn user(self, name: &str) -> Self {
        self.key(&format!("{name}-key"))
    }

    /// Answered with this many tokens.
    #[must_use]
    pub fn tokens(self, tokens: u32) -> Self {
        self.header("x-mock-tokens", tokens.to_string())
    }

    /// With this time to the vendor's first token.
    #[must_use]
    pub fn ttft(self, delay: Duration) -> Self {
        self.header("x-mock-ttft", millis(delay))
    }

    /// With this time between two tokens of the vendor.
    #[must_use]
    pub fn inter_token(self, delay: Duration) -> Self {
        self.header("x-mock-inter-token", millis(delay))
    }

    /// With this fault of the vendor, such as `status=503;first=2`; can be repeated.
    #[must_use]
    pub fn fault(mut self, fault: &str) -> Self {
        self.headers.push(("x-mock-fault".to_owned(), fault.to_owned()));
        self
    }

    /// The value of a header.
    #[must_use]
    pub fn header_value(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

fn millis(delay: Duration) -> String {
    format!("{}ms", delay.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_replaces_the_one_of_its_name_and_faults_add_up() {
        let request = Request::chat().tokens(4).ttft(Duration::from_secs(1)).tokens(8);
        assert_eq!(request.header_value("X-Mock-Tokens"), Some("8"));
        assert_eq!(request.header_value("x-mock-ttft"), Some("1000ms"));
        assert_eq!(request.headers.len(), 3, "{request:?}");
        let faulty = Request::get("/").fault("hang").fault("status=503;first=2");
        assert_eq!((faulty.headers.len(), faulty.header_value(CONTENT_TYPE)), (2, None));
    }

    #[test]
    fn the_demo_user_has_the_demo_key() {
        let (own, named) = (Request::completion_stream(), Request::completion_stream().user("demo"));
        assert_eq!(own.header_value("authorization"), Some("Bearer demo-key"));
        assert_eq!(named.header_value("authorization"), own.header_value("authorization"));
    }
}
