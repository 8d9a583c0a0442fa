//! The load of the benchmark: streams that are read and timed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Longer than any measurement.
const TOKENS: u32 = 1_000_000;

/// Address and path of a vendor's chat completions.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) addr: SocketAddr,
    pub(crate) path: String,
}

impl Target {
    /// Parses `http://ADDR:PORT/PATH`.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let parts = url.strip_prefix("http://").and_then(|rest| rest.split_once('/'));
        let (addr, path) = parts.ok_or("expected http://ADDR:PORT/PATH")?;
        let addr = addr.parse().map_err(|error| format!("{error}; expected an address and a port"))?;
        Ok(Target { addr, path: format!("/{path}") })
    }
}

/// The figures of one case.
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    /// Events that the client read.
    pub(crate) events: u64,
    pub(crate) cpu_seconds: f64,
    pub(crate) rss_bytes: u64,
    /// Memory per stream.
    pub(crate) stream_bytes: u64,
    /// Lateness of each token, ascending.
    pub(crate) late_ms: Vec<f64>,
}

/// Streams held open.
pub(crate) struct Load {
    streams: JoinSet<Vec<Instant>>,
    shared: Arc<Shared>,
    gap: Duration,
}

#[derive(Default)]
struct Shared {
    events: AtomicU64,
    stopped: AtomicBool,
}

impl Load {
    /// Starts opening `streams` streams, evenly over `ramp`.
    pub(crate) fn start(target: &Target, streams: usize, gap: Duration, ramp: Duration) -> Self {
        let shared = Arc::new(Shared::default());
        let mut set = JoinSet::new();
        for index in 0..streams {
            let (shared, target) = (Arc::clone(&shared), target.clone());
            let begin = ramp.mul_f64(index as f64 / streams as f64);
            set.spawn(async move {
                sleep(begin).await;
                hold(&target, gap, &shared).await
            });
        }
        Load { streams: set, shared, gap }
    }

    /// Events read so far, on all streams.
    pub(crate) fn events(&self) -> u64 {
        self.shared.events.load(Ordering::Relaxed)
    }

    /// Ends all streams. Returns the lateness of the tokens that arrived between `begin` and `end`, ascending, in
    /// milliseconds: each against its stream's schedule, which starts so that the earliest token is on time.
    pub(crate) async fn stop(mut self, begin: Instant, end: Instant) -> Vec<f64> {
        self.shared.stopped.store(true, Ordering::Relaxed);
        let mut late = Vec::new();
        while let Some(stream) = self.streams.join_next().await {
            let arrivals = stream.unwrap();
            let due = |index: usize| self.gap.as_secs_f64() * index as f64;
            let Some(first) = arrivals.first().copied() else { continue };
            let offset = |(index, at): (usize, &Instant)| (*at - first).as_secs_f64() - due(index);
            let earliest = arrivals.iter().enumerate().map(offset).fold(f64::INFINITY, f64::min);
            let in_window = arrivals.iter().enumerate().filter(|(_, at)| (begin..end).contains(*at));
            late.extend(in_window.map(|token| (offset(token) - earliest) * 1000.0));
        }
        late.sort_by(f64::total_cmp);
        late
    }
}

/// Reads one stream after another until the load is stopped. Returns the arrival times of the tokens of the last
/// one. (The first event is the role, which arrives with the first token.)
async fn hold(target: &Target, gap: Duration, shared: &Shared) -> Vec<Instant> {
    let mut buffer = vec![0; 4096];
    let mut arrivals = Vec::new();
    while !shared.stopped.load(Ordering::Relaxed) {
        arrivals.clear();
        let mut events = EventCounter::default();
        let mut socket = open(target, gap).await;
        while !shared.stopped.load(Ordering::Relaxed) {
            let read = socket.read(&mut buffer).await.unwrap();
            if read == 0 {
                break;
            }
            let new = events.count(&buffer[..read]);
            shared.events.fetch_add(new, Ordering::Relaxed);
            let skip_role = u64::from(arrivals.is_empty() && new > 1);
            arrivals.extend((skip_role..new).map(|_| Instant::now()));
            if buffer[..read].ends_with(b"\r\n0\r\n\r\n") {
                break;
            }
        }
    }
    arrivals
}

async fn open(target: &Target, gap: Duration) -> TcpStream {
    let body = r#"{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
    let gap = humantime::format_duration(gap);
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
         x-mock-tokens: {TOKENS}\r\nx-mock-ttft: {gap}\r\nx-mock-inter-token: {gap}\r\n\
         content-length: {}\r\n\r\n{body}",
        target.path,
        body.len()
    );
    let mut socket = TcpStream::connect(target.addr).await.unwrap();
    socket.set_nodelay(true).unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

/// Counts blank lines, which end events. JSON has none, and chunk sizes end with CR LF.
#[derive(Default)]
struct EventCounter {
    after_line_end: bool,
}

impl EventCounter {
    fn count(&mut self, bytes: &[u8]) -> u64 {
        let mut events = 0;
        for byte in bytes {
            let line_end = *byte == b'\n';
            events += u64::from(line_end && self.after_line_end);
            self.after_line_end = line_end;
        }
        events
    }
}

/// How a vendor handled the disconnect of all its clients at the same time.
pub(crate) struct MassDisconnect {
    pub(crate) streams: u64,
    pub(crate) gap: Duration,
    /// From the disconnect until the ledger had no active stream.
    pub(crate) noticed: Duration,
    /// Tokens sent after that; 0 if it stopped.
    pub(crate) tokens_after: u64,
}

/// Opens streams, lets them run, and disconnects them together.
pub(crate) async fn disconnect_all(target: &Target, streams: u64, gap: Duration) -> MassDisconnect {
    let mut sockets = Vec::new();
    for _ in 0..streams {
        sockets.push(open(target, gap).await);
    }
    while ledger(target).await.active < streams {}
    sleep(gap * 5).await;
    let disconnected = Instant::now();
    drop(sockets);
    while ledger(target).await.active > 0 {}
    let noticed = disconnected.elapsed();
    let sent = ledger(target).await.tokens_sent;
    sleep(gap * 2).await;
    MassDisconnect { streams, gap, noticed, tokens_after: ledger(target).await.tokens_sent - sent }
}

async fn ledger(target: &Target) -> wire::ledger::Ledger {
    let mut socket = TcpStream::connect(target.addr).await.unwrap();
    let request = "GET /debug/stats?recent=0 HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).await.unwrap();
    let (_, body) = response.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}
