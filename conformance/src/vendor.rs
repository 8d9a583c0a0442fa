//! A scripted vendor, for behaviour that the mock does not have.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

pub mod script;

pub use script::Step;

/// A call that the vendor received.
#[derive(Debug, Clone)]
pub struct Call {
    /// The head: request line and headers.
    pub head: String,
    /// The body, which must be a chat request.
    pub asked: Asked,
    /// The body as received.
    pub body: Vec<u8>,
}

/// The members of a request that tests look at.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Asked {
    /// The conversation.
    pub messages: Vec<Message>,
    /// The model.
    pub model: Option<String>,
    /// The limit on the answer's tokens.
    pub max_tokens: Option<Value>,
    /// Whether a stream was requested.
    #[serde(default)]
    pub stream: bool,
}

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Message {
    /// Its role.
    pub role: String,
    /// Its content: a text, a list of parts, or null.
    #[serde(default)]
    pub content: Value,
}

impl Call {
    /// A header of the call.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The text of the last message, which selects the script.
    fn prompt(&self) -> &str {
        self.asked.messages.last().and_then(|message| message.content.as_str()).unwrap_or_default()
    }
}

/// A vendor on a free port that plays the script of a prompt's name, byte by byte. Stopped on drop.
#[derive(Debug)]
pub struct Vendor {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    accepting: JoinHandle<()>,
}

impl Vendor {
    /// Starts a vendor that plays `script` to every call.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn playing(script: Vec<Step>) -> anyhow::Result<Self> {
        Self::by_attempt(vec![script]).await
    }

    /// Starts a vendor that plays the first script to its first call, the second to its second, and the
    /// last one to all that follow.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn by_attempt(scripts: Vec<Vec<Step>>) -> anyhow::Result<Self> {
        Self::start(HashMap::new(), scripts).await
    }

    /// Starts a vendor that plays to each prompt the script of that name.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn by_prompt(scripts: impl IntoIterator<Item = (&'static str, Vec<Step>)>) -> anyhow::Result<Self> {
        let unknown = script::answer(500, "application/json", "{}");
        Self::start(scripts.into_iter().collect(), vec![unknown]).await
    }

    async fn start(scripts: HashMap<&'static str, Vec<Step>>, otherwise: Vec<Vec<Step>>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        let accepting = tokio::spawn(async move {
            // Owned here, so that its connections end with the vendor.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                let (scripts, otherwise, seen) = (scripts.clone(), otherwise.clone(), Arc::clone(&seen));
                connections.spawn(async move {
                    // A connection without a request is no call: clients may open spare ones.
                    let Ok(call) = read_call(&mut socket).await else { return };
                    let prompt = call.prompt().to_owned();
                    let number = {
                        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                        seen.push(call);
                        seen.len() - 1
                    };
                    let by_attempt = otherwise.get(number).or(otherwise.last());
                    let script = scripts.get(prompt.as_str()).or(by_attempt).map_or(&[][..], Vec::as_slice);
                    // The server may disconnect at any time.
                    let _ = play(socket, script).await;
                });
            }
        });
        Ok(Vendor { address, calls, accepting })
    }

    /// Its address as an `--upstream`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The calls so far with this prompt.
    #[must_use]
    pub fn calls_with(&self, prompt: &str) -> usize {
        self.calls().iter().filter(|call| call.prompt() == prompt).count()
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// An address that refuses connections as long as this value exists: a bound port without a listener.
#[derive(Debug)]
pub struct ClosedPort(TcpSocket);

impl ClosedPort {
    /// Takes a free port.
    ///
    /// # Errors
    /// When no port is free.
    pub fn take() -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        Ok(ClosedPort(socket))
    }

    /// Its address as an `--upstream`.
    ///
    /// # Errors
    /// When the system does not report it.
    pub fn url(&self) -> anyhow::Result<String> {
        Ok(format!("http://{}", self.0.local_addr()?))
    }
}

async fn read_call(socket: &mut TcpStream) -> anyhow::Result<Call> {
    let mut received = Vec::new();
    let head_end = loop {
        if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        ensure!(socket.read_buf(&mut received).await? > 0, "closed in the head");
    };
    let head = String::from_utf8(received[..head_end].to_vec())?;
    let length: usize = header(&head, "content-length").context("no content-length")?.parse()?;
    while received.len() < head_end + length {
        ensure!(socket.read_buf(&mut received).await? > 0, "closed in the body");
    }
    let body = received.split_off(head_end);
    let asked = serde_json::from_slice(&body)?;
    Ok(Call { head, asked, body })
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

async fn play(mut socket: TcpStream, script: &[Step]) -> anyhow::Result<()> {
    socket.set_nodelay(true)?;
    for step in script {
        match step {
            Step::Send(bytes) => socket.write_all(bytes).await?,
            Step::Pause(time) => sleep(*time).await,
            Step::Stall => sleep(Duration::from_secs(3600)).await,
            Step::Reset => socket.set_zero_linger()?,
        }
    }
    Ok(())
}
