//! The table of servers under test, and the macro that runs a row against all of them.

/// A server under test, with everything that the contract allows to differ between servers.
#[derive(Debug)]
pub struct Server {
    /// The name in test output.
    pub name: &'static str,
    /// The program.
    pub program: &'static str,
    /// The arguments that select it.
    pub args: &'static [&'static str],
    /// What `X-Stream-Method` says: `async` or `blocking`.
    pub stream_method: &'static str,
    /// When the vendor's call ends after the client has disconnected.
    pub disconnect_noticed: DisconnectNoticed,
    /// The contract's metrics that exist before the first request.
    pub metrics: &'static [&'static str],
}

/// What every server counts.
const COMMON_METRICS: [&str; 4] =
    ["llm_calls_total", "llm_errors_total", "llm_call_duration_seconds", "llm_concurrent_calls"];

/// What a server with limits counts: the common ones, and its limits' own.
const LIMITS_METRICS: [&str; 10] = [
    "llm_calls_total",
    "llm_errors_total",
    "llm_call_duration_seconds",
    "llm_concurrent_calls",
    "llm_outcomes_total",
    "llm_retries_total",
    "llm_queue_timeout_total",
    "llm_call_timeout_total",
    "llm_semaphore_wait_seconds",
    "llm_rate_limit_wait_seconds",
];

/// When a server notices that its client has disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectNoticed {
    /// At once, even while the vendor is silent.
    WhileSilent,
    /// At the vendor's next token: until then a thread is in a blocking read.
    AtNextToken,
}

/// The control: broken-server without a mistake.
pub const NONE: Server = Server {
    name: "broken-server --mistake none",
    program: "broken-server",
    args: &["--mistake", "none"],
    stream_method: "async",
    disconnect_noticed: DisconnectNoticed::WhileSilent,
    metrics: &LIMITS_METRICS,
};

/// A pool thread for the whole stream.
pub const POOL_EXHAUSTION: Server =
    blocking("broken-server --mistake pool-exhaustion", &["--mistake", "pool-exhaustion"]);

/// A pool thread for every chunk.
pub const POOL_PER_CHUNK: Server = blocking("broken-server --mistake pool-per-chunk", &["--mistake", "pool-per-chunk"]);

/// A blocking call on the event loop.
pub const BLOCKED_EXECUTOR: Server =
    blocking("broken-server --mistake blocked-executor", &["--mistake", "blocked-executor"]);

/// Another blocking client on the event loop. A debug build of it makes no calls.
pub const BLOCKING_CLIENT: Server =
    blocking("broken-server --mistake blocking-client", &["--mistake", "blocking-client"]);

/// The streams of `pool-exhaustion` beside async routes that wait for the same pool.
pub const HIDDEN_POOL_USERS: Server =
    blocking("broken-server --mistake hidden-pool-users", &["--mistake", "hidden-pool-users"]);

/// The streams of `pool-exhaustion` in a larger pool.
pub const MORE_THREADS: Server = blocking("broken-server --mistake more-threads", &["--mistake", "more-threads"]);

/// The streams of `pool-exhaustion` and a health check that looks elsewhere.
pub const WRONG_CANARY: Server = blocking("broken-server --mistake wrong-canary", &["--mistake", "wrong-canary"]);

/// The asynchronous path, with the blocking one as a fallback.
pub const ROLLOUT: Server = Server {
    name: "broken-server --mistake rollout --rollout-percent 100",
    args: &["--mistake", "rollout", "--rollout-percent", "100"],
    metrics: &COMMON_METRICS,
    ..NONE
};

/// A pool thread for the whole stream, even after the client has disconnected.
pub const ORPHANED_STREAMS: Server =
    blocking("broken-server --mistake orphaned-streams", &["--mistake", "orphaned-streams"]);

/// The control's client with stalls.
pub const COORDINATED_OMISSION: Server = Server {
    name: "broken-server --mistake coordinated-omission",
    args: &["--mistake", "coordinated-omission"],
    metrics: &COMMON_METRICS,
    ..NONE
};

/// The streams of `pool-exhaustion` and a liveness probe that waits for the same pool.
pub const LIVENESS_CASCADE: Server =
    blocking("broken-server --mistake liveness-cascade", &["--mistake", "liveness-cascade"]);

/// Retry loops in two layers. With one attempt in each: the rows would wait a second for each failure otherwise.
pub const STACKED_RETRIES: Server = Server {
    name: "broken-server --mistake stacked-retries --attempts 1",
    args: &["--mistake", "stacked-retries", "--attempts", "1"],
    ..NONE
};

/// A connection to the database for each call that runs. With one for each that the rows make at once: the next would get
/// none otherwise.
pub const DB_HELD_DURING_CALL: Server = Server {
    name: "broken-server --mistake db-held-during-call --database-pool-size 64",
    args: &["--mistake", "db-held-during-call", "--database-pool-size", "64"],
    ..NONE
};

/// A mistake whose streams are read by a blocking client.
const fn blocking(name: &'static str, args: &'static [&'static str]) -> Server {
    Server {
        name,
        args,
        stream_method: "blocking",
        disconnect_noticed: DisconnectNoticed::AtNextToken,
        metrics: &COMMON_METRICS,
        ..NONE
    }
}

/// The same API done right.
pub const FIXED: Server = Server {
    name: "fixed-server",
    program: "fixed-server",
    args: &[],
    stream_method: "async",
    disconnect_noticed: DisconnectNoticed::WhileSilent,
    metrics: &LIMITS_METRICS,
};

/// The servers that are described here.
pub(crate) const DESCRIBED: [&Server; 15] = [
    &NONE,
    &POOL_EXHAUSTION,
    &POOL_PER_CHUNK,
    &BLOCKED_EXECUTOR,
    &BLOCKING_CLIENT,
    &HIDDEN_POOL_USERS,
    &MORE_THREADS,
    &WRONG_CANARY,
    &ROLLOUT,
    &ORPHANED_STREAMS,
    &COORDINATED_OMISSION,
    &LIVENESS_CASCADE,
    &STACKED_RETRIES,
    &DB_HELD_DURING_CALL,
    &FIXED,
];

/// The servers of [`on_every_server`](crate::on_every_server).
pub(crate) const ON_EVERY_ROW: [&Server; 5] = [&NONE, &POOL_EXHAUSTION, &POOL_PER_CHUNK, &BLOCKED_EXECUTOR, &FIXED];

impl Server {
    /// A mistake that is not described here: it must do what the control does. Only what its limits would count may
    /// be missing.
    pub(crate) fn like_the_control(mistake: &'static str) -> Self {
        let name = format!("broken-server --mistake {mistake}").leak();
        Server { name, args: vec!["--mistake", mistake].leak(), metrics: &COMMON_METRICS, ..NONE }
    }

    /// The mistake that it runs, if it is broken-server.
    #[must_use]
    pub fn mistake(&self) -> Option<&'static str> {
        self.args.iter().skip_while(|arg| **arg != "--mistake").nth(1).copied()
    }
}

/// Makes one test for each server out of each row named: `row::fixed_server`, `row::pool_exhaustion`, ...
///
/// A row is an `async fn(&'static Server) -> anyhow::Result<()>`.
#[macro_export]
macro_rules! on_every_server {
    ($($row:ident),+ $(,)?) => { $(
        mod $row {
            use $crate::servers;

            #[tokio::test]
            async fn none() -> anyhow::Result<()> {
                super::$row(&servers::NONE).await
            }
            #[tokio::test]
            async fn pool_exhaustion() -> anyhow::Result<()> {
                super::$row(&servers::POOL_EXHAUSTION).await
            }
            #[tokio::test]
            async fn pool_per_chunk() -> anyhow::Result<()> {
                super::$row(&servers::POOL_PER_CHUNK).await
            }
            #[tokio::test]
            async fn blocked_executor() -> anyhow::Result<()> {
                super::$row(&servers::BLOCKED_EXECUTOR).await
            }
            #[tokio::test]
            async fn fixed_server() -> anyhow::Result<()> {
                super::$row(&servers::FIXED).await
            }
        }
    )+ };
}

/// Makes two tests of each row named, as [`on_every_server`](crate::on_every_server) does: one for each server with
/// call limits, which are the control and fixed-server.
#[macro_export]
macro_rules! on_limited_servers {
    ($($row:ident),+ $(,)?) => { $(
        mod $row {
            use $crate::servers;

            #[tokio::test]
            async fn none() -> anyhow::Result<()> {
                super::$row(&servers::NONE).await
            }
            #[tokio::test]
            async fn fixed_server() -> anyhow::Result<()> {
                super::$row(&servers::FIXED).await
            }
        }
    )+ };
}
