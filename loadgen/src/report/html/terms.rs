//! The words of a report that need an explanation. A page explains each where it first appears.

/// A word and what it means.
#[derive(Debug)]
pub(super) struct Term {
    /// The word, as it is explained.
    pub(super) name: &'static str,
    /// The ways in which it is written, in small letters and in the singular; `-` stands for `_` and a space too.
    written: &'static [&'static str],
    /// What it means, in a sentence or two.
    pub(super) meaning: &'static str,
}

const fn term(name: &'static str, written: &'static [&'static str], meaning: &'static str) -> Term {
    Term { name, written, meaning }
}

/// All terms, in the order in which a page explains those that appear together.
pub(super) const TERMS: &[Term] = &[
    // What is compared.
    term(
        "arm",
        &["arm"],
        "One of the servers that are compared. All get the same load, and each has a vendor of its own.",
    ),
    term("broken", &["broken", "broken-server"], "The server with the mistake."),
    term(
        "control",
        &["control"],
        "The same framework as the broken server, without the mistake. If it stays well, the framework is not the cause.",
    ),
    term("fixed", &["fixed", "fixed-server"], "The server that does it right."),
    term(
        "vendor",
        &["vendor"],
        "The service that runs the language model. In a lab it is mock-llm, which streams as slowly as a real one.",
    ),
    term(
        "ledger",
        &["ledger"],
        "What the vendor itself counted: evidence that does not depend on what a server says of itself.",
    ),
    // What is sent.
    term("stream", &["stream"], "An answer that arrives token by token while the model is still writing it."),
    term(
        "call",
        &["call", "whole-answer"],
        "A request whose answer arrives in one piece, when the model has finished.",
    ),
    term("token", &["token"], "A piece of text, about a word long. A model writes one after another."),
    term("prompt", &["prompt"], "The text that is sent to the model."),
    term("chunk", &["chunk"], "A piece of a stream as it arrives, usually one token."),
    term("quota", &["quota"], "What a vendor allows in an interval. Beyond it, it rejects requests with status 429."),
    term("attempt", &["attempt"], "One try of a request at the vendor. A request that is retried has several."),
    term("Retry-After", &["retry-after"], "The header by which a rejected client learns how long to wait."),
    term(
        "rate",
        &["per-second", "rate"],
        "New requests per second, sent on a schedule whether or not earlier ones were answered.",
    ),
    term(
        "concurrency",
        &["concurrency"],
        "How many requests are kept open at the same time. One that ends is replaced.",
    ),
    // Health.
    term(
        "health check",
        &["health-check", "probe", "check"],
        "A small request that asks whether the server is alive, also called a probe. It is sent on a schedule and timed \
         from when it was due, so that a server that hangs cannot hide it.",
    ),
    term(
        "health-sync",
        &["health-sync"],
        "The health check that needs a thread of the server's pool, where the server has one.",
    ),
    term(
        "health-async",
        &["health-async"],
        "The health check that a server answers on its event loop, without the pool.",
    ),
    term(
        "thread pool",
        &["pool", "thread-pool", "blocking-pool"],
        "A limited number of threads for work that blocks. What finds all of them busy waits.",
    ),
    term(
        "event loop",
        &["event-loop"],
        "The thread that serves all asynchronous requests in turn. It must never wait.",
    ),
    term(
        "timed out",
        &["timed-out", "time-out"],
        "Not answered within its time limit. In latencies it counts as that limit.",
    ),
    term("failed", &["failed"], "Answered with an error, cut, or not answered at all."),
    term("liveness", &["liveness"], "The health check that decides whether a server is restarted."),
    term("readiness", &["readiness", "ready"], "The health check that decides whether a server gets requests."),
    // Time.
    term("latency", &["latency"], "The time from when a request was due to its answer."),
    term("due", &["due"], "The moment at which the schedule says that a request is sent, whether or not it could be."),
    term("p50", &["p50", "50-%"], "The median: half of the values are at most this."),
    term("p90", &["p90", "90-%"], "Nine in ten values are at most this."),
    term("p99", &["p99", "99-%"], "99 in 100 values are at most this. It shows what the unlucky see."),
    term("max", &["max", "100-%"], "The largest value: no other is above it."),
    term(
        "first token",
        &["first-token", "ttft", "time-to-first-token"],
        "How long a user sees nothing: from when a stream was due to its first token.",
    ),
    term(
        "gap between tokens",
        &["gap", "between-tokens", "inter-token"],
        "The time from one token of a stream to the next.",
    ),
    term("phase", &["phase"], "A step of the run: it adds load, lets it settle, then measures."),
    term("idle", &["idle", "baseline"], "The server before any load, also called the baseline."),
    term("ramp", &["ramp"], "The time over which a load is opened, before it is measured."),
    // How requests ended.
    term("completed", &["completed"], "Ended properly, with everything that the vendor sent."),
    term("truncated", &["truncated"], "Ended after a status 200 without being complete and without an error."),
    term("stalled", &["stalled"], "Still open at the end, and silent for far longer than its tokens usually took."),
    term("disconnected", &["disconnected", "disconnect"], "Closed by the client before the answer was complete."),
    term(
        "still open",
        &["still-open"],
        "Not finished when the run ended. It was closed then, and counts as neither good nor bad.",
    ),
    term(
        "rejected",
        &["rejected", "rejection"],
        "Refused at once with a status such as 429 or 503, before any work was done.",
    ),
    term("[DONE]", &["[done]"], "The last event of a stream, by which a client knows that it is complete."),
    term(
        "collapse",
        &["collapse"],
        "The moment at which health checks became at least ten times slower than before, or timed out.",
    ),
    // The ledger.
    term("generation", &["generation"], "One answer that the vendor was asked to write, whatever became of it."),
    term("cancelled", &["cancelled"], "Stopped at the vendor because its client had disconnected."),
    term("retried", &["retried", "retry"], "Sent again after a failure."),
    term("early", &["early"], "Sent again before the time that Retry-After had asked for."),
    term(
        "tokens after disconnect",
        &["tokens-after-disconnect"],
        "Tokens that were written, and paid for, although nobody was left to read them.",
    ),
    // Processes.
    term("CPU", &["cpu"], "Processor time as a share of one processor: 100 % is one processor that never rests."),
    term("memory", &["memory"], "Main memory that the process really occupies (resident memory), at its highest."),
    term(
        "descriptor",
        &["descriptor"],
        "What a process has for each open file and connection. The system limits their number.",
    ),
    term("restart", &["restart"], "The supervisor stopped the server, or found it ended, and started it again."),
    term("replica", &["replica"], "One of several servers that do the same, behind a load balancer."),
    // The verdict.
    term("claim", &["claim"], "What must be so for the lab to hold: a figure, a comparison and a threshold."),
    term("objective", &["objective"], "What was required of the server: a figure, a comparison and a threshold."),
    term(
        "precondition",
        &["precondition"],
        "What must be so for the figures to mean anything, such as that the load was really there. If one is not met, the \
         run is invalid.",
    ),
    term("held", &["held"], "All that the verdict requires is met."),
    term("invalid", &["invalid"], "The run proves nothing, neither good nor bad: a precondition was not met."),
    term(
        "schedule lag",
        &["schedule-lag", "lag"],
        "How late the load generator itself sent something. If it is large, the figures are not the server's.",
    ),
    term("ratio", &["ratio"], "A figure divided by the same figure of the first file: 2 is twice as much."),
    term("case", &["case"], "One request with a fault of its own, and what is right for it."),
];

/// What a diagnosis calls a collapse: there are more ways to one than in a lab, which has its health checks.
static COLLAPSE_OF_A_DIAGNOSIS: Term = term(
    "collapse",
    &["collapse"],
    "The smallest number of streams with which the server was no longer as when idle: health checks were late or timed \
     out, or streams waited, were lost or were slowed down.",
);

impl Term {
    /// Whether `text`, which is [`normal`], mentions it.
    fn is_in(&self, text: &str) -> bool {
        self.written.iter().any(|word| mentions(text, word))
    }
}

/// `text` as words are looked for in it.
pub(super) fn normal(text: &str) -> String {
    text.to_lowercase().replace(['_', ' ', '\n', '\u{a0}'], "-")
}

/// Whether `word`, or its plural, stands in `text` as a word of its own.
fn mentions(text: &str, word: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        let begins = !before.ends_with(|c: char| c.is_alphanumeric());
        begins && (ends(after) || after.strip_prefix("es").or_else(|| after.strip_prefix('s')).is_some_and(ends))
    })
}

/// Those of the terms that a page has not explained yet.
#[derive(Debug)]
pub(super) struct Unexplained(Vec<&'static Term>);

impl Default for Unexplained {
    fn default() -> Self {
        Unexplained(TERMS.iter().collect())
    }
}

impl Unexplained {
    /// Those of a page about diagnoses. These hold streams open: what is held there is no verdict.
    pub(super) fn of_a_diagnosis() -> Self {
        let others = TERMS.iter().filter(|term| !["held", COLLAPSE_OF_A_DIAGNOSIS.name].contains(&term.name));
        Unexplained(others.chain([&COLLAPSE_OF_A_DIAGNOSIS]).collect())
    }

    /// The terms that `text` is the first to mention, and those that their explanations mention. They count as
    /// explained from now on.
    pub(super) fn first_in(&mut self, text: &str) -> Vec<&'static Term> {
        let mut text = normal(text);
        let mut found = Vec::new();
        loop {
            let (now, later): (Vec<_>, Vec<_>) = self.0.iter().copied().partition(|term| term.is_in(&text));
            self.0 = later;
            if now.is_empty() {
                break;
            }
            text = now.iter().map(|term| normal(term.meaning)).collect::<Vec<_>>().join("-");
            found.extend(now);
        }
        let place = |term: &&Term| TERMS.iter().position(|listed| listed.name == term.name);
        found.sort_by_key(place);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(terms: &[&Term]) -> Vec<&'static str> {
        terms.iter().map(|term| term.name).collect()
    }

    #[test]
    fn a_term_is_explained_once_with_the_terms_that_its_explanation_uses() {
        let mut left = Unexplained::default();
        let first = names(&left.first_in("60 Streams, health_sync p99"));
        for expected in ["stream", "token", "health-sync", "p99", "health check", "thread pool"] {
            assert!(first.contains(&expected), "{expected} is not in {first:?}");
        }
        assert!(!first.contains(&"p90"), "{first:?}");
        assert!(left.first_in("one stream, health-sync p99, tokens").is_empty());
    }

    #[test]
    fn a_word_within_another_is_another_word() {
        for (text, word, expected) in [
            ("two probes", "probe", true),
            ("a probe.", "probe", true),
            ("the probed one", "probe", false),
            ("cp99", "p99", false),
            ("p999", "p99", false),
            ("health_sync", "health-sync", true),
            ("time to first token", "first-token", true),
            ("searches", "search", true),
        ] {
            assert_eq!(mentions(&normal(text), word), expected, "{word} in {text}");
        }
    }

    #[test]
    fn terms_are_written_as_they_are_looked_for() {
        for term in TERMS.iter().chain([&COLLAPSE_OF_A_DIAGNOSIS]) {
            assert!(term.written.iter().all(|word| *word == normal(word)), "{}", term.name);
            assert!(term.is_in(&normal(term.name)), "{}", term.name);
            assert!(term.meaning.ends_with('.') && !term.meaning.contains("  "), "{}", term.meaning);
            assert_eq!(TERMS.iter().filter(|other| other.name == term.name).count(), 1, "{}", term.name);
        }
    }
}
