//! One client: what it requests, when it disconnects, and how it checks the answer.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use fastrand::Rng;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::program::Program;

/// Faults of requests. Most requests have none.
const FAULTS: [&str; 12] = [
    "status=503",
    "status=503;first=1",
    "status=429;retry-after=1;first=1",
    "status=400",
    "hang",
    "reset",
    "reset-after=3",
    "close-after=5",
    "cut-after=2",
    "hang-after=4",
    "malformed-after=6",
    "error-event-after=4",
];

/// A random client.
pub(crate) struct Client {
    request: RequestBuilder,
    addr: SocketAddr,
    manner: Manner,
    streams: bool,
    whole_text: String,
}

/// How it behaves.
enum Manner {
    Reads,
    /// Disconnects after this time.
    Leaves(Duration),
    /// Requests a long stream and reads nothing of it.
    NeverReads,
    /// Sends half a head, and nothing more.
    NeverSpeaks,
}

/// How a client's request ended.
pub(crate) type Fate = Result<String, String>;

/// What all clients saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Requests by how they ended.
    pub(crate) fates: BTreeMap<String, u64>,
    /// Violations.
    pub(crate) wrong: Vec<String>,
}

impl Seen {
    pub(crate) fn add(&mut self, fate: Fate) {
        match fate {
            Ok(fate) => *self.fates.entry(fate).or_default() += 1,
            Err(wrong) => self.wrong.push(wrong),
        }
    }

    pub(crate) fn count(&self, fate: &str) -> u64 {
        self.fates.get(fate).copied().unwrap_or(0)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: u64 = self.fates.values().sum();
        writeln!(formatter, "{all} clients:")?;
        self.fates.iter().try_for_each(|(fate, count)| writeln!(formatter, "  {count:>6}  {fate}"))
    }
}

/// The text of every whole answer: the mock's tokens are the same in each.
pub(crate) async fn text_of_a_whole_answer(program: &Program) -> String {
    let answer = program.client.post(program.url("/llm")).json(&json!({ "prompt": "hi" })).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

impl Client {
    pub(crate) fn drawn(rng: &mut Rng, program: &Program, whole_text: &str) -> Self {
        let path = ["/chat/stream", "/llm", "/v1/chat/completions", "/api/v1/chat/completions"][rng.usize(..4)];
        let manner = match rng.u32(..100) {
            0..20 => Manner::Leaves(Duration::from_millis(rng.u64(..400))),
            20 => Manner::NeverReads,
            21 => Manner::NeverSpeaks,
            _ => Manner::Reads,
        };
        let streams = path == "/chat/stream" || (path != "/llm" && rng.bool());
        let messages = json!([{ "role": "user", "content": "hi" }]);
        let body = json!({ "model": "mock-llm", "messages": messages, "max_tokens": 100, "stream": streams });
        let mut request = program.client.post(program.url(path)).bearer_auth("demo-key").json(&body);
        if rng.u32(..100) < 30 {
            request = request.header("x-mock-fault", FAULTS[rng.usize(..FAULTS.len())]);
        }
        if rng.u32(..100) < 20 {
            request = request.header("x-session-id", format!("session-{}", rng.u32(..50)));
        }
        Client { request, addr: program.addr, manner, streams, whole_text: whole_text.to_owned() }
    }

    pub(crate) async fn run(self) -> Fate {
        match self.manner {
            Manner::Reads => self.read().await,
            Manner::Leaves(after) => match timeout(after, self.read()).await {
                Ok(fate) => fate,
                Err(_) => Ok("left".into()),
            },
            Manner::NeverReads => holds(self.addr, true).await,
            Manner::NeverSpeaks => holds(self.addr, false).await,
        }
    }

    async fn read(self) -> Fate {
        let answer = self.request.send().await.map_err(|error| format!("no answer: {error}"))?;
        let (status, has_retry_after) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
        let text = answer.text().await.map_err(|error| format!("{status}: the body broke off: {error}"))?;
        if status != 200 {
            let body: Value = serde_json::from_str(&text).map_err(|error| format!("{status}: {error}: {text}"))?;
            let kind = body["error"]["type"].as_str().ok_or_else(|| format!("{status}: {text}"))?;
            let good = match (status, kind) {
                (429, "overloaded" | "user_limit") => has_retry_after,
                (504, "queue_timeout" | "sla_timeout") | (502, "upstream_failure") => true,
                // The vendor's error, passed on.
                (400 | 429, _) => true,
                _ => false,
            };
            return if good { Ok(format!("{status} {kind}")) } else { Err(format!("{status}: {text}")) };
        }
        if !self.streams {
            let body: Value = serde_json::from_str(&text).map_err(|error| format!("whole: {error}: {text}"))?;
            let whole = body["choices"][0]["message"]["content"] == *self.whole_text;
            return if whole { Ok("200 whole".into()) } else { Err(format!("another text: {text}")) };
        }
        check_stream(&text, &self.whole_text)
    }
}

/// The text is complete, or truncated with an error event. No other end is allowed.
fn check_stream(text: &str, whole_text: &str) -> Fate {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let (mut heard, mut done, mut failed) = (String::new(), false, false);
    for data in data {
        if done || failed {
            return Err(format!("something after the end: {text}"));
        }
        let value: Value = serde_json::from_str(data).unwrap_or_default();
        let token = value["content"].as_str().or(value["choices"][0]["delta"]["content"].as_str());
        heard.push_str(token.unwrap_or(""));
        done = data == "[DONE]";
        failed = value["error"].is_object();
    }
    match (done, failed) {
        (true, false) if heard == whole_text => Ok("200 streamed whole".into()),
        (false, true) if whole_text.starts_with(&heard) => Ok("200 and an error event".into()),
        _ => Err(format!("truncated without an error event: {text}")),
    }
}

/// Opens a connection, sends a request or half of one, and keeps it open longer than any limit of the server.
async fn holds(addr: SocketAddr, asks: bool) -> Fate {
    let body = r#"{"messages":[{"role":"user","content":"hi"}],"max_tokens":1000000}"#;
    let head = format!("POST /chat/stream HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\n");
    // Tokens without pause, so that all buffers on the way are soon full.
    let rest = "X-Mock-Tokens: 1000000\r\nX-Mock-Inter-Token: 0s\r\n";
    let length = body.len();
    let text = if asks { format!("{head}{rest}Content-Length: {length}\r\n\r\n{body}") } else { head };
    let mut socket = TcpStream::connect(addr).await.map_err(|error| format!("no connection: {error}"))?;
    socket.write_all(text.as_bytes()).await.map_err(|error| format!("cannot ask: {error}"))?;
    sleep(Duration::from_secs(3)).await;
    Ok(if asks { "never read".into() } else { "never spoke".into() })
}
