//! Arguments of `run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::display::Display;
use super::outputs::Outputs;
use super::values::{header, method, path, positive_duration, probe, rate, share};
use crate::traffic::{Arrivals, StreamFormat};
use crate::verdict::Objective;

/// `loadgen run`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    /// URL of the server, which must be on this machine unless --i-own-this-server is given; can be repeated. Requests
    /// then go to the servers in turn, and probes to each of them
    #[arg(long = "url", value_name = "URL", required = true)]
    pub urls: Vec<String>,
    /// Allow a server on another machine, which then gets this load
    #[arg(long)]
    pub i_own_this_server: bool,
    /// Path of the streams [default: the path of --url, else /chat/stream]
    #[arg(long, value_name = "PATH", value_parser = path)]
    pub path: Option<String>,
    /// HTTP method of the requests
    #[arg(long, default_value = "POST", value_parser = method)]
    pub method: String,
    /// JSON body of the requests [default: a chat with one message]. In it, {{ n }} is the number of the request, from 1,
    /// and {{prompt:500}} a prompt of 500 tokens that differs from request to request, so that no cache hides its cost;
    /// {{prompt:200-800}} has a random length
    #[arg(long, value_name = "JSON")]
    pub body: Option<String>,
    /// File with the body, in place of --body; the same words are replaced in it
    #[arg(long, value_name = "FILE", conflicts_with = "body")]
    pub body_file: Option<PathBuf>,
    /// Header of the requests; can be repeated
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,
    /// Expect complete answers instead of streams, for an endpoint that does not stream
    #[arg(long, conflicts_with = "format")]
    pub whole_answers: bool,
    /// What the streams are made of: what counts as a token, as their end and as an error
    #[arg(long, value_enum, default_value = "auto")]
    pub format: StreamFormat,
    /// Number of streams to keep open; one that ends is replaced [default: 40]
    #[arg(long, value_name = "N", conflicts_with = "rate", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub concurrency: Option<u32>,
    /// New streams per second, however many are still open
    #[arg(long, value_name = "PER_SECOND", value_parser = rate)]
    pub rate: Option<f64>,
    /// Spacing of the streams of --rate
    #[arg(long, value_enum, default_value = "poisson", requires = "rate")]
    pub arrivals: Arrivals,
    /// Most streams of --rate that may be open at once. One that is due beyond that is dropped: counted, and not sent
    #[arg(long, value_name = "N", requires = "rate", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_in_flight: Option<u32>,
    /// Time over which the streams are opened, or --rate is reached. Probes are measured after it; the streams that it
    /// opens count (see --warmup) [default: 1s; with --rate or --requests 0s]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub ramp: Option<Duration>,
    /// Time after --ramp that is left out of all figures: what is due until its end is sent, and not counted
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    pub warmup: Duration,
    /// Duration of the load, including --ramp and --warmup [default: 10s; with --requests at most 10m]
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    pub duration: Option<Duration>,
    /// End once this many requests, those of --warmup included, have been sent and answered, or at the end of --duration
    #[arg(long, value_name = "N", alias = "requests-max", value_parser = clap::value_parser!(u64).range(1..))]
    pub requests: Option<u64>,
    /// How long to wait for open streams after --duration (at least until the last probe has ended)
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    pub drain: Duration,
    /// How long to probe the idle server before the load
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    pub baseline: Duration,
    /// A stream that takes longer counts as failed
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = positive_duration)]
    pub stream_timeout: Duration,
    /// Share of the clients that disconnect early, 0 to 1
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    pub cancel_share: f64,
    /// Number of tokens after which they disconnect
    #[arg(long, value_name = "TOKENS", default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    pub cancel_after: u32,
    /// Health probe; can be repeated [default: health_sync=/debug/health-sync health_async=/debug/health-async]
    #[arg(long = "probe", value_name = "NAME=PATH", value_parser = probe)]
    pub probes: Vec<(String, String)>,
    /// Probes per second, of each kind
    #[arg(long, value_name = "PER_SECOND", default_value = "20", value_parser = rate)]
    pub probe_rate: f64,
    /// Time after which a probe counts as timed out
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = positive_duration)]
    pub probe_timeout: Duration,
    /// Objective for the run, such as 'health.p99<100ms' or 'failed_share<1%', or for each request, such as
    /// 'ttft<500ms'; can be repeated. Without one the run is not judged
    #[arg(long = "slo", value_name = "OBJECTIVE")]
    pub objectives: Vec<Objective>,
    /// Process id of the server, to measure its processor time, memory and threads
    #[arg(long)]
    pub pid: Option<u32>,
    /// URL of the mock vendor behind the server, to include its ledger in the result
    #[arg(long, value_name = "URL")]
    pub vendor: Option<String>,
    /// Seed for arrival times, for prompts, and for the choice of clients that disconnect
    #[arg(long, default_value = "1")]
    pub seed: u64,
    /// The files for the result.
    #[command(flatten)]
    pub outputs: Outputs,
    /// How it is shown.
    #[command(flatten)]
    pub display: Display,
}

/// Shown below the flags.
const EXAMPLES: &str = "\
Examples:
  Keep 100 streams open, and require of the health check what your users would:
    loadgen run --url http://127.0.0.1:8000 --concurrency 100 --probe health=/health --slo 'health.p99<100ms'

  20 new users a second as they come, one in ten of whom closes the tab, after a warm-up of 5 s:
    loadgen run --url http://127.0.0.1:8000 --rate 20 --warmup 5s --duration 35s --cancel-share 0.1

  Goodput: at least 95 % of the requests have their first token within 500 ms and are complete within 10 s:
    loadgen run --url http://127.0.0.1:8000 --rate 20 --slo 'ttft<500ms' --slo 'e2e<10s' --slo 'goodput>=95%'

  1,000 requests to an OpenAI endpoint, each with another prompt of 200 to 800 tokens:
    loadgen run --url http://127.0.0.1:8000/v1/chat/completions --requests 1000 --concurrency 50 \\
      --header 'authorization: Bearer KEY' --format openai \\
      --body '{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"{{prompt:200-800}}\"}]}'

Latencies are measured from when a request was due, so that a server that stalls cannot slow down its own measurement.
Exit codes: 0 the objectives were met, 1 they were not, 2 bad usage, 3 the run is invalid.";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_examples_are_commands_that_can_be_given() {
        let examples = EXAMPLES.replace("\\\n", "");
        let commands: Vec<_> = examples.lines().filter(|line| line.starts_with("    loadgen run ")).collect();
        assert_eq!(commands.len(), 4);
        for command in commands {
            // Words in quotes have spaces in them.
            let words = command.split('\'').enumerate().flat_map(|(index, part)| match index % 2 {
                0 => part.split_whitespace().map(str::to_owned).collect(),
                _ => vec![part.to_owned()],
            });
            let parsed = Cli::try_parse_from(words);
            assert!(parsed.is_ok(), "{command}: {}", parsed.err().map(|error| error.to_string()).unwrap_or_default());
        }
    }
}
