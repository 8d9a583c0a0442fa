//! `POST /debug/hold-threads`: fills tokio's blocking pool for a while, as blocking work would. Labs use it to test
//! what depends on the pool. It exists only with `--allow-mock-headers`, as everything that lets a client cause faults.

use std::thread;
use std::time::Duration;

use axum::Json;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use wire::error::RequestError;

use crate::errors::ErrorResponse;

/// Threads of tokio's blocking pool: its default size.
const POOL_THREADS: u32 = 512;

/// Longest time to hold them, in seconds.
const SECONDS_MAX: u64 = 60;

pub(super) async fn handle(body: Bytes) -> Result<Json<Value>, ErrorResponse> {
    let seconds = seconds_in(&body)?;
    let length = Duration::from_secs(seconds);
    for _ in 0..POOL_THREADS {
        // Only the threads are needed, not their results.
        drop(spawn_blocking(move || thread::sleep(length)));
    }
    Ok(Json(json!({ "threads": POOL_THREADS, "seconds": seconds })))
}

/// The `seconds` of a body such as `{"seconds":5}`.
fn seconds_in(body: &[u8]) -> Result<u64, RequestError> {
    let body: Value = serde_json::from_slice(body).map_err(|error| RequestError::InvalidJson(error.to_string()))?;
    let expected = format!("a whole number from 1 to {SECONDS_MAX}");
    let found = body.get("seconds").cloned().unwrap_or_default();
    let seconds = found.as_u64().filter(|seconds| (1..=SECONDS_MAX).contains(seconds));
    let invalid =
        || RequestError::InvalidValue { param: "seconds".into(), found: found.to_string(), expected: expected.into() };
    seconds.ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_length_is_named_in_the_error() {
        assert_eq!(seconds_in(br#"{"seconds":5}"#), Ok(5));
        for body in [r#"{"seconds":0}"#, r#"{"seconds":61}"#, r#"{"seconds":"5"}"#, "{}", "[]"] {
            let refusal = seconds_in(body.as_bytes()).unwrap_err().to_string();
            assert!(refusal.contains("'seconds'") && refusal.contains("1 to 60"), "{body}: {refusal}");
        }
    }
}
