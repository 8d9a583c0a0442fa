//! A scripted server for one test: it counts requests and sends exactly the bytes that the test says.

#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

mod judged;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

pub(crate) use judged::{judged, loadgen, loadgen_counted};

/// Longer than what a run does at its beginning takes on a busy machine; only a failing test reaches it.
const UNTIL_TIMEOUT: Duration = Duration::from_secs(60);

/// The head of a stream that ends with its connection.
pub(crate) const EVENTS: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
pub(crate) const FAILING: &str =
    "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 5\r\nconnection: close\r\n\r\nsorry";
pub(crate) const NOT_FOUND: &str =
    "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 12\r\nconnection: close\r\n\r\nno such page";

/// The counts of a server.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Requests for streams, and for anything else.
    pub(crate) streams: AtomicU64,
    pub(crate) checks: AtomicU64,
    /// Streams open now, and the most there ever were.
    pub(crate) open: AtomicU64,
    pub(crate) most_open: AtomicU64,
    /// Bytes sent to all clients.
    pub(crate) bytes: AtomicU64,
}

/// A connection whose request has been read.
pub(crate) struct Request {
    /// Its path, with the query.
    pub(crate) path: String,
    /// All of its text, with its headers.
    pub(crate) text: String,
    pub(crate) stream: TcpStream,
    pub(crate) seen: Arc<Seen>,
}

impl Request {
    /// Sends this and ignores a client that has disconnected.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let bytes = bytes.as_ref();
        let sent = self.stream.write_all(bytes).await.is_ok();
        if sent {
            self.seen.bytes.fetch_add(bytes.len() as u64, Relaxed);
        }
        sent
    }

    /// Sends tokens at this gap, until all are sent or the client disconnects.
    pub(crate) async fn tokens(&mut self, tokens: u32, gap: Duration) -> bool {
        self.send(EVENTS).await;
        for _ in 0..tokens {
            sleep(gap).await;
            if !self.send("data: {\"content\":\"a\"}\n\n").await {
                return false;
            }
        }
        true
    }

    /// Holds the connection until the client disconnects.
    pub(crate) async fn hang(&mut self) {
        let mut nothing = [0; 1024];
        while self.stream.read(&mut nothing).await.is_ok_and(|read| read > 0) {}
    }
}

pub(crate) type Answering = Pin<Box<dyn Future<Output = ()> + Send>>;
/// What the server does with a request.
pub(crate) type Script = fn(Request) -> Answering;

pub(crate) const CHECK_OK: Script = |mut request| Box::pin(async move { _ = request.send(OK).await });
pub(crate) const FAILS: Script = |mut request| Box::pin(async move { _ = request.send(FAILING).await });
pub(crate) const REJECTS: Script = |mut request| Box::pin(async move { _ = request.send(NOT_FOUND).await });
pub(crate) const HANGS: Script = |mut request| Box::pin(async move { request.hang().await });

/// Starts a server that answers a `POST` as `stream` does, and everything else as `check` does.
pub(crate) async fn serve(stream: Script, check: Script) -> (SocketAddr, Arc<Seen>) {
    serve_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), stream, check)
}

/// The same on this listener, in the runtime that runs this.
pub(crate) fn serve_on(listener: TcpListener, stream: Script, check: Script) -> (SocketAddr, Arc<Seen>) {
    let addr = listener.local_addr().unwrap();
    let seen = Arc::new(Seen::default());
    let noted = seen.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer(connection, noted.clone(), stream, check));
        }
    });
    (addr, seen)
}

async fn answer(mut connection: TcpStream, seen: Arc<Seen>, stream: Script, check: Script) {
    let Some(request) = read_request(&mut connection).await else { return };
    let is_stream = request.starts_with(b"POST");
    let text = String::from_utf8_lossy(&request).into_owned();
    let path = text.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let asked = Request { path, text, stream: connection, seen: seen.clone() };
    if !is_stream {
        seen.checks.fetch_add(1, Relaxed);
        return check(asked).await;
    }
    seen.streams.fetch_add(1, Relaxed);
    let open = seen.open.fetch_add(1, Relaxed) + 1;
    seen.most_open.fetch_max(open, Relaxed);
    stream(asked).await;
    seen.open.fetch_sub(1, Relaxed);
}

/// A request with its whole body: a connection that is closed with unread bytes is reset, and the answer lost.
pub(crate) async fn read_request(connection: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match connection.read(&mut piece).await {
            Ok(read) if read > 0 => request.extend_from_slice(&piece[..read]),
            _ => return None,
        }
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().filter_map(|line| line.split_once(": "));
        let mut length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if body.len() >= length.next_back().map_or(0, |(_, length)| length.parse().unwrap()) {
            return Some(request);
        }
    }
}

/// Waits until the condition holds; `what` names it if it does not in time.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let holds = async {
        while !condition().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(UNTIL_TIMEOUT, holds).await.is_ok(), "not within {UNTIL_TIMEOUT:?}: {what}");
}
