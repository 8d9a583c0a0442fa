//! The behaviour of a real vendor, read from a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::vendor::{Step, script};

/// The behaviour of a real vendor, and what a server must make of it. The files' format is described in
/// conformance/peculiarities/README.md.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peculiarity {
    /// The file's name without its extension.
    #[serde(skip)]
    pub name: String,
    /// A description in one sentence.
    pub about: String,
    /// Where it was reported: `repo#number`, or documentation.
    pub source: String,
    /// What the client requests.
    #[serde(default)]
    pub ask: Ask,
    /// Further arguments for the server.
    #[serde(default)]
    pub flags: Vec<String>,
    /// The vendor's responses to the first attempt, the second, ...; the last one is repeated.
    pub vendor: Vec<VendorAnswer>,
    /// What the client gets.
    pub client: Client,
    /// How the request is counted (`llm_outcomes_total`).
    pub outcome: String,
    /// The number of calls to the vendor.
    pub attempts: usize,
    /// A text that a line of the log must contain.
    pub log: Option<String>,
}

/// What the client requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// A stream: on `/chat/stream` and on `/v1/chat/completions`.
    #[default]
    Stream,
    /// A whole answer: on `/llm` and on `/v1/chat/completions`.
    Whole,
}

/// One response of the vendor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorAnswer {
    #[serde(default = "ok")]
    status: u16,
    /// In place of the usual content type.
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    framing: Framing,
    /// Splits the whole body into pieces of this many bytes, each a separate chunk and write.
    split: Option<usize>,
    body: Vec<Write>,
    #[serde(default)]
    end: End,
}

fn ok() -> u16 {
    200
}

/// How the end of a body is marked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Framing {
    #[default]
    Chunked,
    Length,
    /// By closing the connection.
    Close,
}

/// How a response ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum End {
    /// As its framing announces.
    #[default]
    Orderly,
    /// The connection is closed before that.
    Truncated,
    /// Nothing more is sent, and the connection stays open.
    Stall,
}

/// A part of a body; each is one chunk and one write.
#[derive(Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Write {
    /// These bytes.
    Raw(String),
    /// An event with this JSON as its data.
    Data { data: Value },
    /// OpenAI's chunk with this text.
    Token { token: String },
    /// OpenAI's chunk with this finish reason.
    Finish { finish: String },
    /// A pause, in milliseconds.
    Pause { pause_ms: u64 },
    /// This text, repeated this many times, in one write.
    Repeat { repeat: usize, of: String },
    /// These, in one write.
    Together { together: Vec<Write> },
}

/// What the client gets, on both routes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The status.
    #[serde(default = "ok")]
    pub status: u16,
    /// Whether `/v1`, and every rejection, passes on the vendor's last body byte by byte.
    #[serde(default)]
    pub verbatim: bool,
    /// What `/v1` appends to that.
    #[serde(default)]
    pub followed_by: String,
    /// The text of a stream.
    #[serde(default)]
    pub text: String,
    /// The error code: of the HTTP error, or of the event that ends the stream.
    pub error: Option<String>,
    /// Headers of the response; an empty value means that the header must be absent.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

impl Peculiarity {
    /// Reads all files of conformance/peculiarities/.
    ///
    /// # Errors
    /// The first that cannot be read, by its name.
    pub fn all() -> anyhow::Result<Vec<Self>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peculiarities");
        let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        ensure!(!files.is_empty(), "{} has no files", folder.display());
        files.iter().map(|file| Self::read(file).with_context(|| file.display().to_string())).collect()
    }

    fn read(file: &Path) -> anyhow::Result<Self> {
        let mut read: Self = serde_json::from_slice(&std::fs::read(file)?)?;
        read.name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        ensure!(!read.vendor.is_empty(), "'vendor' has no answer");
        Ok(read)
    }

    /// The vendor's responses as steps.
    #[must_use]
    pub fn scripts(&self) -> Vec<Vec<Step>> {
        self.vendor.iter().map(|answer| answer.steps(self.ask)).collect()
    }

    /// The body of the vendor's last response.
    #[must_use]
    pub fn last_body(&self) -> Vec<u8> {
        self.vendor.last().map(VendorAnswer::bytes).unwrap_or_default()
    }
}

impl VendorAnswer {
    fn bytes(&self) -> Vec<u8> {
        self.body.iter().flat_map(Write::bytes).collect()
    }

    fn steps(&self, ask: Ask) -> Vec<Step> {
        let usual = if ask == Ask::Stream && self.status == 200 { "text/event-stream" } else { "application/json" };
        let mut head = format!("HTTP/1.1 {} Scripted\r\nConnection: close\r\n", self.status);
        match self.content_type.as_deref().unwrap_or(usual) {
            "" => {}
            kind => head += &format!("Content-Type: {kind}\r\n"),
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        match self.framing {
            Framing::Chunked => head += "Transfer-Encoding: chunked\r\n",
            Framing::Length => head += &format!("Content-Length: {}\r\n", self.bytes().len()),
            Framing::Close => {}
        }
        let mut steps = vec![Step::Send((head + "\r\n").into_bytes())];
        match self.split {
            Some(size) => steps.extend(self.bytes().chunks(size.max(1)).map(|piece| self.send(piece))),
            None => steps.extend(self.body.iter().map(|write| match write {
                Write::Pause { pause_ms } => Step::Pause(Duration::from_millis(*pause_ms)),
                write => self.send(&write.bytes()),
            })),
        }
        match self.end {
            End::Orderly if self.framing == Framing::Chunked => steps.push(script::last_chunk()),
            End::Orderly | End::Truncated => {}
            End::Stall => steps.push(Step::Stall),
        }
        steps
    }

    fn send(&self, bytes: &[u8]) -> Step {
        if self.framing == Framing::Chunked { script::chunk(bytes) } else { Step::Send(bytes.to_owned()) }
    }
}

impl Write {
    fn bytes(&self) -> Vec<u8> {
        let chunk = |choice: Value| {
            let chunk = json!({
                "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice],
            });
            format!("data: {chunk}\n\n")
        };
        match self {
            Write::Raw(text) => text.clone(),
            Write::Data { data } => format!("data: {data}\n\n"),
            Write::Token { token } => {
                chunk(json!({ "index": 0, "delta": { "content": token }, "finish_reason": null }))
            }
            Write::Finish { finish } => chunk(json!({ "index": 0, "delta": {}, "finish_reason": finish })),
            Write::Pause { .. } => String::new(),
            Write::Repeat { repeat, of } => of.repeat(*repeat),
            Write::Together { together } => return together.iter().flat_map(Write::bytes).collect(),
        }
        .into_bytes()
    }
}
