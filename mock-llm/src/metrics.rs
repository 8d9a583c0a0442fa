//! `/metrics`, with vLLM's names and buckets.

use std::fmt::Display;

use program::logs::lines_dropped;
use wire::ledger::Ledger;

use crate::histogram::Histogram;

/// Histograms with vLLM's names and buckets.
#[derive(Debug)]
pub(crate) struct Latencies {
    /// Request to first token, including the wait for a slot.
    pub(crate) first_token: Histogram,
    /// Between two tokens of an answer.
    pub(crate) inter_token: Histogram,
    /// Request to end of a complete answer.
    pub(crate) whole_request: Histogram,
    /// Request to slot.
    pub(crate) queue: Histogram,
}

const FIRST_TOKEN_BOUNDS: [f64; 22] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
    160.0, 640.0, 2560.0,
];
const INTER_TOKEN_BOUNDS: [f64; 19] =
    [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0];
const REQUEST_BOUNDS: [f64; 21] = [
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0,
    1920.0, 7680.0,
];

impl Default for Latencies {
    fn default() -> Self {
        Latencies {
            first_token: Histogram::new(&FIRST_TOKEN_BOUNDS),
            inter_token: Histogram::new(&INTER_TOKEN_BOUNDS),
            whole_request: Histogram::new(&REQUEST_BOUNDS),
            queue: Histogram::new(&REQUEST_BOUNDS),
        }
    }
}

impl Latencies {
    pub(crate) fn reset(&self) {
        for histogram in [&self.first_token, &self.inter_token, &self.whole_request, &self.queue] {
            histogram.reset();
        }
    }
}

/// Content type of the Prometheus text format.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The ledger and the latencies in the Prometheus text format: vLLM's names where the meaning is the same, others
/// with the prefix `mock_llm_`. A reset sets all to 0 except `log_lines_dropped_total`, which counts for the
/// process.
pub(crate) fn render(ledger: &Ledger, latencies: &Latencies) -> String {
    let mut page = Page(String::with_capacity(16 * 1024));
    page.gauge("vllm:num_requests_running", "Generations running.", ledger.active - ledger.waiting);
    page.gauge("vllm:num_requests_waiting", "Generations waiting for a slot.", ledger.waiting);
    page.histogram("vllm:time_to_first_token_seconds", "Request to first token.", &latencies.first_token);
    page.histogram("vllm:inter_token_latency_seconds", "Between two tokens of an answer.", &latencies.inter_token);
    page.histogram("vllm:e2e_request_latency_seconds", "Request to end of answer.", &latencies.whole_request);
    page.histogram("vllm:request_queue_time_seconds", "Request to slot.", &latencies.queue);
    page.counter("vllm:prompt_tokens_total", "Tokens of prompts.", ledger.prompt_tokens);
    let generated = ledger.tokens_sent + ledger.tokens_after_disconnect;
    page.counter("vllm:generation_tokens_total", "Tokens generated.", generated);
    let reasons = [
        ("stop", ledger.completed - ledger.completed_by_limit),
        ("length", ledger.completed_by_limit),
        ("abort", ledger.cancelled),
    ];
    page.counters("vllm:request_success_total", "Generations ended.", "finished_reason", reasons);
    let outcomes = [("completed", ledger.completed), ("cancelled", ledger.cancelled), ("failed", ledger.failed)];
    page.counters("mock_llm_generations_total", "Generations ended.", "outcome", outcomes);
    page.counters(
        "mock_llm_answers_total",
        "Answers to callers by status.",
        "status",
        ledger.requests_by_status.iter().map(|(status, count)| (status, *count)),
    );
    page.counter("mock_llm_unanswered_total", "Requests that got no response.", ledger.unanswered);
    page.counter("mock_llm_refused_total", "Requests rejected by a quota.", ledger.refused);
    page.counters(
        "mock_llm_faults_total",
        "Faults applied to requests.",
        "fault",
        ledger.faults.iter().map(|(name, count)| (name, *count)),
    );
    page.counter(
        "mock_llm_tokens_after_disconnect_total",
        "Tokens generated after the client disconnected.",
        ledger.tokens_after_disconnect,
    );
    page.counter("mock_llm_connections_total", "Connections accepted.", ledger.connections_opened);
    page.counter(
        "log_lines_dropped_total",
        "Log lines dropped because they could not be written in time.",
        lines_dropped(),
    );
    page.gauge("mock_llm_peak_active", "Highest number of active generations.", ledger.peak_active);
    page.0
}

struct Page(String);

impl Page {
    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "gauge");
        self.line(format_args!("{name} {value}"));
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        self.line(format_args!("{name} {value}"));
    }

    /// Label values are statuses, outcomes and names of faults: none needs escaping.
    fn counters(&mut self, name: &str, help: &str, label: &str, values: impl IntoIterator<Item = (impl Display, u64)>) {
        self.head(name, help, "counter");
        for (value, count) in values {
            self.line(format_args!("{name}{{{label}=\"{value}\"}} {count}"));
        }
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.head(name, help, "histogram");
        let mut count = 0;
        for (bound, up_to) in histogram.cumulative() {
            let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
            self.line(format_args!("{name}_bucket{{le=\"{bound}\"}} {up_to}"));
            count = up_to;
        }
        self.line(format_args!("{name}_sum {}", histogram.sum()));
        self.line(format_args!("{name}_count {count}"));
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.0.push_str(&line.to_string());
        self.0.push('\n');
    }
}
