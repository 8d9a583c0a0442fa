//! The command line programs: flags, environment, signals, logs, exit codes.

use conformance::program::launch;
use conformance::vendor::ClosedPort;
use process::Launch;

mod drain;
mod environment;
mod flags;
mod logs;
mod signals;
mod watchdog;

/// What a program's user sees.
struct Facts {
    program: &'static str,
    /// The prefix of its environment variables.
    prefix: &'static str,
    /// Whether it calls a vendor.
    has_upstream: bool,
    /// Its main flags and their defaults.
    flags: &'static [(&'static str, &'static str)],
    /// Arguments that are rejected, and what the message must name.
    refused: &'static [(&'static [&'static str], &'static str)],
}

const MOCK_LLM: Facts = Facts {
    program: "mock-llm",
    prefix: "MOCK_LLM_",
    has_upstream: false,
    flags: &[
        ("--listen", "127.0.0.1:9000"),
        ("--tokens", "60"),
        ("--ttft", "250ms"),
        ("--inter-token", "250ms"),
        ("--jitter", "0"),
        ("--seed", "1"),
    ],
    refused: &[
        (&["--tokens", "many"], "--tokens"),
        (&["--ttft=-5ms"], "--ttft"),
        (&["--ttft", "-5ms"], "--ttft"),
        (&["--inter-token", "soon"], "--inter-token"),
        (&["--jitter", "wild"], "--jitter"),
        (&["--jitter=-1"], "--jitter"),
        (&["--seed", "x"], "--seed"),
        (&["--fault", "explode"], "--fault"),
    ],
};

const BROKEN_SERVER: Facts = Facts {
    program: "broken-server",
    prefix: "BROKEN_SERVER_",
    has_upstream: true,
    flags: &[
        ("--listen", "127.0.0.1:8000"),
        ("--upstream", "http://127.0.0.1:9000"),
        ("--mistake", "pool-exhaustion"),
        ("--workers", "1"),
        ("--blocking-threads", "40"),
        ("--max-in-flight", "10000"),
        ("--max-queued", "1000"),
        ("--queue-timeout", "5s"),
        ("--call-timeout", "30s"),
        ("--sla", "60s"),
        ("--attempts", "3"),
    ],
    refused: &[
        (&["--blocking-threads", "0"], "--blocking-threads"),
        (&["--blocking-threads", "many"], "--blocking-threads"),
        (&["--workers", "0"], "--workers"),
        (&["--idle-timeout=-1s"], "--idle-timeout"),
        (&["--idle-timeout", "-1s"], "--idle-timeout"),
        (&["--first-token-timeout", "30"], "--first-token-timeout"),
        (&["--mistake", "nonsense"], "--mistake"),
        (&["--max-in-flight", "0"], "--max-in-flight"),
        // The default mistake has no limits, so another is named.
        (&["--max-in-flight", "5"], "--max-in-flight"),
        (&["--queue-timeout", "40s", "--mistake", "none"], "--queue-timeout"),
        (&["--call-timeout", "90s", "--mistake", "none"], "--call-timeout"),
    ],
};

const FIXED_SERVER: Facts = Facts {
    program: "fixed-server",
    prefix: "FIXED_SERVER_",
    has_upstream: true,
    flags: &[
        ("--listen", "127.0.0.1:8001"),
        ("--upstream", "http://127.0.0.1:9000"),
        ("--max-in-flight", "10000"),
        ("--max-queued", "1000"),
        ("--queue-timeout", "5s"),
        ("--call-timeout", "30s"),
        ("--first-token-timeout", "30s"),
        ("--idle-timeout", "30s"),
        ("--write-timeout", "30s"),
        ("--sla", "60s"),
        ("--attempts", "3"),
        ("--connect-timeout", "5s"),
        ("--shutdown-grace", "30s"),
    ],
    refused: &[
        (&["--max-in-flight", "0"], "--max-in-flight"),
        (&["--max-in-flight=-1"], "--max-in-flight"),
        (&["--queue-timeout", "forever"], "--queue-timeout"),
        (&["--idle-timeout=-1s"], "--idle-timeout"),
        (&["--idle-timeout", "-1s"], "--idle-timeout"),
        // The relations: queue < call < SLA.
        (&["--queue-timeout", "40s"], "--queue-timeout"),
        (&["--call-timeout", "90s"], "--call-timeout"),
    ],
};

const ALL: [&Facts; 3] = [&MOCK_LLM, &BROKEN_SERVER, &FIXED_SERVER];

impl Facts {
    /// The program on a free port. Its vendor, if it has one, is the closed port: that must not prevent the start.
    fn launch(&self, nobody: &ClosedPort) -> anyhow::Result<Launch> {
        let launch = launch(self.program)?.on_free_port();
        Ok(if self.has_upstream { launch.args(["--upstream".to_owned(), nobody.url()?]) } else { launch })
    }
}
