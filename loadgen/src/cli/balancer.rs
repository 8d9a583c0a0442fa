//! Arguments of `balancer`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::values::{path, positive_duration};

/// `loadgen balancer`
#[derive(Debug, Args)]
#[command(after_help = WHAT_IT_DOES)]
pub struct BalancerArgs {
    /// Address to listen on, IP:PORT; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// URL of a server behind it, which must be on this machine; can be repeated
    #[arg(long = "backend", value_name = "URL", required = true)]
    pub backends: Vec<String>,
    /// Path of the readiness probe
    #[arg(long, value_name = "PATH", default_value = "/ready", value_parser = path)]
    pub ready_path: String,
    /// Time from one readiness probe to the next
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = positive_duration)]
    pub period: Duration,
    /// Time after which a probe counts as failed
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = positive_duration)]
    pub timeout: Duration,
    /// Failed probes in a row after which a backend gets no requests; one success brings it back
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    pub failure_threshold: u32,
    /// Keep connections to the backends open, and reuse them
    #[arg(long, value_name = "BOOL", default_value = "true", action = ArgAction::Set)]
    pub reuse_connections: bool,
    /// How long a kept connection may be idle before it is closed
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = positive_duration)]
    pub idle_timeout: Duration,
    /// How long a backend may send nothing before its answer is cut [default: for ever]
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub silence_timeout: Option<Duration>,
}

/// Shown below the options.
const WHAT_IT_DOES: &str = "Requests go round robin to the backends that are ready. It answers 503 itself when none \
                            is, 502 when a backend fails before its answer, and never tries another one. \
                            GET /balancer/stats shows what it has counted.";
