//! What `diagnose` found out about a server.

use serde::{Deserialize, Serialize};

use super::Quantiles;

/// What limits a server, and how that is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diagnosis {
    /// The kind of limit.
    pub kind: DiagnosisKind,
    /// More about the kind, where there is more to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<DiagnosisForm>,
    /// The limit, in streams, threads or connections, as the kind says.
    pub limit: Option<u64>,
    /// Streams open when the server stopped answering as it did when idle.
    pub streams_at_collapse: Option<u64>,
    /// How sure the finding is.
    pub confidence: Confidence,
    /// What would make it surer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surer_with: Option<String>,
    /// The finding, in at most three sentences.
    pub finding: String,
    /// What was seen, a sentence each, with its figures.
    pub evidence: Vec<String>,
    /// Whose default the limit is, what to change, and why a larger number is not the fix.
    pub advice: String,
    /// The lab that shows this kind of limit, beside its fix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lab: Option<String>,
    /// The platform that the server runs on, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<DiagnosisPlatform>,
    /// The default that the limit is, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<DiagnosisDefault>,
    /// The numbers of streams that were held, in order, and what was seen of each.
    #[serde(default)]
    pub levels: Vec<DiagnosisLevel>,
    /// Streams that were rejected, by HTTP status.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub rejected: std::collections::BTreeMap<String, u64>,
    /// Streams that failed before they began, by cause.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub failed: std::collections::BTreeMap<String, u64>,
    /// Seconds from the end of the load until the server answered as it did when idle; none if it did not.
    #[serde(default)]
    pub recovered_after_s: Option<f64>,
}

/// The platform that a server runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiagnosisPlatform {
    /// Names for `--platform`: one, or several that send the same header.
    pub names: Vec<String>,
    /// How it is known: `--platform`, or a header of its answers.
    pub known_by: String,
}

/// A limit that a platform has when nobody has set another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiagnosisDefault {
    /// The number.
    pub number: u64,
    /// The platform that has it: a name for `--platform`.
    pub platform: String,
    /// What there is this number of.
    pub what: String,
    /// What to set for another number.
    pub setting: String,
    /// Where the number was read: a URL, or a repository and a file in it.
    pub source: String,
    /// Whether the server is known to run on that platform. Otherwise only the number fits, which proves nothing.
    pub is_certain: bool,
}

/// What limits a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DiagnosisKind {
    /// A thread, or a worker process, is held for each stream. The limit is their number.
    ThreadPoolHeld,
    /// A thread is held for each chunk. The limit is the number of threads.
    ThreadPoolPerChunk,
    /// The event loop waits for something. The limit is the number of streams that make progress.
    EventLoopBlocked,
    /// The server accepts no more connections. The limit is their number.
    ConnectionLimit,
    /// The processor is busy.
    Cpu,
    /// The server waits for a place in a pool or at its vendor. The limit is the number of streams that get one.
    UpstreamLimit,
    /// The answer comes all at once.
    NotStreaming,
    /// No limit up to the number of streams that was tried.
    NoneFound,
    /// What was seen fits no kind, or several.
    Inconclusive,
}

impl DiagnosisKind {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DiagnosisKind::ThreadPoolHeld => "thread_pool_held",
            DiagnosisKind::ThreadPoolPerChunk => "thread_pool_per_chunk",
            DiagnosisKind::EventLoopBlocked => "event_loop_blocked",
            DiagnosisKind::ConnectionLimit => "connection_limit",
            DiagnosisKind::Cpu => "cpu",
            DiagnosisKind::UpstreamLimit => "upstream_limit",
            DiagnosisKind::NotStreaming => "not_streaming",
            DiagnosisKind::NoneFound => "none_found",
            DiagnosisKind::Inconclusive => "inconclusive",
        }
    }
}

/// More about a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DiagnosisForm {
    /// Threads of a pool behind the event loop, which still answers.
    InnerPool,
    /// A worker, thread or process, takes each request from its first byte to its last.
    WorkerPerRequest,
    /// A pool that grows by about one thread a second while work waits.
    GrowingPool,
    /// The cap of the HTTP client, or of the server's own admission.
    ClientPool,
    /// The streams of one HTTP/2 connection to the vendor.
    Http2Streams,
    /// The vendor, or the server in its place, rejects what is too much.
    Vendor,
    /// A layer compresses the stream.
    Compressed,
    /// A proxy buffers the stream.
    ProxyBuffers,
    /// The server, or a layer in it, collects the answer.
    Collected,
}

impl DiagnosisForm {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DiagnosisForm::InnerPool => "inner_pool",
            DiagnosisForm::WorkerPerRequest => "worker_per_request",
            DiagnosisForm::GrowingPool => "growing_pool",
            DiagnosisForm::ClientPool => "client_pool",
            DiagnosisForm::Http2Streams => "http2_streams",
            DiagnosisForm::Vendor => "vendor",
            DiagnosisForm::Compressed => "compressed",
            DiagnosisForm::ProxyBuffers => "proxy_buffers",
            DiagnosisForm::Collected => "collected",
        }
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// A guess: other kinds are about as likely.
    Low,
    /// Other kinds could look the same.
    Medium,
    /// No other kind that is known looks like this.
    High,
}

impl Confidence {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// A number of streams that was held for a while.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DiagnosisLevel {
    /// Streams asked for.
    pub streams: u64,
    /// Streams that the server served at once: with their first chunk, or about to get it in the time of an idle server.
    pub started: u64,
    /// Streams that waited for a chunk longer than streams of an idle server do.
    pub waiting: u64,
    /// Requests that were rejected or failed.
    pub lost: u64,
    /// Chunks per second of all streams.
    pub chunks_per_second: f64,
    /// Chunks per second of a stream after its first one; none if none flowed for long enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<f64>,
    /// Median time to the first chunk of the streams that began meanwhile, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_chunk_ms: Option<f64>,
    /// How late the generator sent its probes: nine of ten less than this, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator_lag_ms: Option<f64>,
    /// Latency of each probe, in milliseconds. One without an answer counts at its time-out, or as long as it has waited.
    pub probes: std::collections::BTreeMap<String, ProbeLevel>,
    /// Share of one processor that the server's processes used, where they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_cores: Option<f64>,
    /// Threads of the server's processes, where they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u64>,
    /// Open descriptors of the server's processes, where they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fds: Option<u64>,
    /// Open descriptors of that one of the server's processes that has the fewest left, where the system shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fds_of_fullest: Option<u64>,
    /// The limit of open descriptors of the process that has the fewest left, where the system shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fds_limit: Option<u64>,
    /// Processors of this machine in use by others than the generator; none for a server elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_cores: Option<f64>,
}

/// A probe while a number of streams was held.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProbeLevel {
    /// Probes that were due.
    pub sent: u64,
    /// Probes that got any answer.
    pub answered: u64,
    /// Probes without an answer in time.
    pub timed_out: u64,
    /// Probes whose connection was refused, reset or closed.
    pub failed: u64,
    /// Latency in milliseconds, of all of them.
    pub latency_ms: Quantiles,
}
