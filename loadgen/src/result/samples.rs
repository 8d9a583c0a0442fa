//! Diagnoses made by hand, for tests of what is shown of them.

use serde_json::{Value, json};

use super::{Diagnosis, Environment, Generator, RunResult};

/// A pool of 40 threads that is full: health hangs, and what needs no thread does not.
pub(crate) fn full_pool() -> Diagnosis {
    let level = |streams: u64, health: f64, timed_out: u64| {
        let flowing = streams.min(40);
        json!({
            "streams": streams, "started": flowing, "waiting": streams - flowing, "lost": 0,
            "chunks_per_second": 4 * flowing, "cpu_cores": 0.03, "threads": 3 + flowing, "fds": 20 + streams,
            "probes": {
                "health": probe(48, timed_out, health),
                "unknown_path": probe(48, 0, 0.9),
                "kept_connection": probe(24, 0, 0.4),
            },
        })
    };
    let mut levels: Vec<_> = [1, 2, 4, 8, 16, 32].map(|streams| level(streams, 2.8, 0)).to_vec();
    levels.extend([level(64, 4_000.0, 41), level(48, 4_000.0, 40), level(40, 4_000.0, 39), level(39, 3.1, 0)]);
    let text = json!({
        "kind": "thread_pool_held", "form": "inner_pool", "limit": 40, "streams_at_collapse": 40, "confidence": "high",
        "finding": "The server answers 40 streams at once, and each holds a thread of a pool. With 40 streams, 39 of 48 \
                    health checks timed out, while a path that does not exist was answered within 0.9 ms. Users beyond \
                    the 40th wait until an earlier stream ends.",
        "evidence": [
            "39 streams: health p99 3.1 ms; 40: 39 of 48 probes timed out",
            "40 of 64 streams flowed and the others waited for their first chunk; in 5 s, 3 ended and 3 began",
            "CPU 3 %; threads 4 with 1 stream, 43 with 40",
        ],
        "advice": "40 is the default of anyio, which FastAPI uses for `def` endpoints. Raising it moves the limit to as many \
                   streams, and each costs a thread. Make the endpoint `async def`, with an async client to the vendor.",
        "lab": "pool-exhaustion",
        "levels": levels,
        "recovered_after_s": 1.2,
    });
    from(text)
}

/// A server without a limit up to 256 streams.
pub(crate) fn none_found() -> Diagnosis {
    let level = |streams: u64| {
        json!({"streams": streams, "started": streams, "waiting": 0, "lost": 0, "chunks_per_second": 4 * streams,
               "probes": {"health": probe(20, 0, 1.1), "unknown_path": probe(20, 0, 0.8)}})
    };
    let text = json!({
        "kind": "none_found", "limit": null, "streams_at_collapse": null, "confidence": "high",
        "finding": "The server held 256 streams and answered all probes as when idle.",
        "evidence": ["256 streams: health p99 1.1 ms"],
        "advice": "Try more with --max-streams.",
        "levels": Vec::from([1, 4, 16, 64, 256].map(level)),
        "recovered_after_s": 0.0,
    });
    from(text)
}

/// A server whose answer comes in one piece.
pub(crate) fn compressed() -> Diagnosis {
    let text = json!({
        "kind": "not_streaming", "form": "compressed", "limit": null, "streams_at_collapse": null, "confidence": "high",
        "finding": "The answer does not stream: it is compressed, and comes in one piece after 6 s.",
        "evidence": ["the first byte came after 6 s, and all 24 chunks within 2 ms of it"],
        "advice": "Leave out compression for text/event-stream.",
        "lab": "buffered-stream",
    });
    from(text)
}

/// A server that collapsed for a reason that was not found.
pub(crate) fn inconclusive() -> Diagnosis {
    let text = json!({
        "kind": "inconclusive", "limit": null, "streams_at_collapse": 8, "confidence": "low",
        "surer_with": "--pid PID of the server, for its threads and its processor time",
        "finding": "With 8 streams the server was no longer as when idle. What limits it could not be found.",
        "evidence": ["8 streams: health p99 900 ms"],
        "advice": "Give --pid.",
        "levels": full_pool().levels,
    });
    from(text)
}

/// The result of a run that found this.
pub(crate) fn run(diagnosis: Diagnosis) -> RunResult {
    let parameters = [("url".to_owned(), json!("http://127.0.0.1:8000")), ("max_streams".to_owned(), json!(256))];
    let environment = Environment { cores: 2, memory_bytes: 8_000_000_000, os: "an OS".to_owned() };
    let mut run = RunResult::new("diagnose", environment, parameters.into(), Generator::default());
    run.command_line = Some("loadgen diagnose --url http://127.0.0.1:8000".to_owned());
    run.target = Some(super::ArmResult { program: "http://127.0.0.1:8000".to_owned(), ..Default::default() });
    run.diagnosis = Some(diagnosis);
    run
}

fn probe(sent: u64, timed_out: u64, p99: f64) -> Value {
    json!({"sent": sent, "answered": sent - timed_out, "timed_out": timed_out, "failed": 0,
           "latency_ms": {"p50": 0.8 * p99, "p90": 0.9 * p99, "p99": p99, "max": p99}})
}

fn from(text: Value) -> Diagnosis {
    serde_json::from_value(text).unwrap_or_else(|error| panic!("{error}"))
}
