//! Mistake `rollout`.
//!
//! What is wrong: a share of the streams is read asynchronously, and when that fails, the old, blocking code
//! is tried instead. So a vendor that fails sends all streams back to the threads, gets a second call for
//! each while it is in trouble, and the threads wait for it.
//! Symptom: none while the vendor is well, and at 100 % the exhaustion seems gone. When the vendor hangs or
//! fails, `/debug/health-sync` hangs again, and `X-Stream-Method` says blocking.
//! Fix: fixed-server/src/api/answer.rs, where a stream that cannot be opened fails at once, with
//! `X-Stream-Method: async_failure`.
//! Source: 000, step 5 ("DO NOT FALL BACK TO BLOCKING CODE"). Its own code cannot say that it failed: when
//! its generator fails, the 200 has already been sent.
//! The share itself is right: it is read for each stream, so that it can be taken back at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use actix_web::HttpRequest;
use actix_web::web::{self, Data, Json, Payload};
use bytes::Bytes;
use gateway::shorten;
use serde_json::{Value, json};
use wire::error::RequestError;

use crate::api::{self, Routes};
use crate::call::Call;
use crate::call_style::{AsyncOnce, CallStyle};
use crate::errors::{ErrorResponse, Failure};
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::mistakes::threads::pool_exhaustion::PoolExhaustion;
use crate::relay::first_token;
use crate::request::{json_body, require_operator};
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "rollout",
    group: Group::Threads,
    symptom: "with --rollout-percent 100 all is well until the vendor fails: then /debug/health-sync hangs again",
    own_flags: &["rollout_percent"],
    routes: |settings| Ok(routes(settings.own.rollout_percent)),
    ..Mistake::USUAL
};

/// Both styles of calling, and the share of the streams that uses the asynchronous one.
pub(crate) struct Rollout {
    percent: AtomicU8,
    streams: AtomicU64,
}

// ANCHOR: rollout
impl CallStyle for Rollout {
    async fn stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        if !self.next_is_async() {
            return PoolExhaustion.stream(state, call).await;
        }
        let messages = AsyncOnce.stream(state, call.clone()).await?;
        match first_token(messages, call.format).await {
            Ok(begun) => Ok(begun),
            Err(failure) => {
                tracing::warn!(request_id = call.request_id, %failure, "async failed, falling back to blocking");
                // MISTAKE rollout: the vendor has just failed, and now a thread waits for it to fail again.
                PoolExhaustion.stream(state, call).await
            }
        }
    }

    /// Whole answers are no part of the rollout: they have long been asynchronous.
    async fn whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        AsyncOnce.whole(state, call).await
    }
}
// ANCHOR_END: rollout

impl Rollout {
    /// A rollout that starts at `percent`, from 0 to 100.
    pub(crate) fn new(percent: u8) -> Self {
        Rollout { percent: AtomicU8::new(percent), streams: AtomicU64::new(0) }
    }

    /// Whether the next stream is read asynchronously: spread evenly, and exactly N of any 100 in a row. Drawn at
    /// random, as in the source, the share would be off by several in each hundred.
    fn next_is_async(&self) -> bool {
        let percent = u64::from(self.percent.load(Relaxed));
        let number = self.streams.fetch_add(1, Relaxed) % 100;
        (number + 1) * percent / 100 > number * percent / 100
    }
}

/// The routes, and `/debug/rollout`, which shows and sets the share.
pub(crate) fn routes(percent: u8) -> Routes {
    let rollout = Data::new(Rollout::new(percent));
    let routes = api::routes_of(rollout.clone().into_inner());
    Arc::new(move |config| {
        routes(config);
        let share = api::get("/debug/rollout", share).route(web::put().to(set_share));
        config.app_data(rollout.clone()).service(api::only(share, "GET, HEAD, PUT"));
    })
}

async fn share(rollout: Data<Rollout>) -> Json<Value> {
    Json(json!({ "percent": rollout.percent.load(Relaxed) }))
}

async fn set_share(
    state: Data<AppState>,
    rollout: Data<Rollout>,
    request: HttpRequest,
    payload: Payload,
) -> Result<Json<Value>, ErrorResponse> {
    require_operator(&request)?;
    let percent = percent_in(&json_body(&state, &request, payload, state.own_body_bytes()).await?)?;
    rollout.percent.store(percent, Relaxed);
    tracing::info!(percent, "set the share of asynchronous streams");
    Ok(share(rollout).await)
}

/// The `percent` of a body such as `{"percent":20}`.
fn percent_in(body: &[u8]) -> Result<u8, RequestError> {
    const EXPECTED: &str = "a whole number from 0 to 100";
    let body: Value = serde_json::from_slice(body).map_err(|error| RequestError::InvalidJson(error.to_string()))?;
    let invalid = |param: &str, found: &Value, expected: &'static str| RequestError::InvalidValue {
        param: param.into(),
        found: shorten(&found.to_string()),
        expected: expected.into(),
    };
    let Value::Object(fields) = &body else { return Err(invalid("body", &body, "a JSON object")) };
    let sent = fields
        .get("percent")
        .ok_or_else(|| RequestError::MissingField { param: "percent".into(), expected: EXPECTED })?;
    let percent = sent.as_u64().filter(|percent| *percent <= 100).and_then(|percent| u8::try_from(percent).ok());
    percent.ok_or_else(|| invalid("percent", sent, EXPECTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_hundred_streams_in_a_row_have_exactly_the_share() {
        for percent in 0..=100 {
            let rollout = Rollout::new(percent);
            let ways: Vec<_> = (0..400).map(|_| rollout.next_is_async()).collect();
            for row in ways.windows(100) {
                assert_eq!(row.iter().filter(|way| **way).count(), usize::from(percent));
            }
        }
    }

    #[test]
    fn the_share_is_spread_and_not_in_one_lump() {
        let rollout = Rollout::new(50);
        let ways: Vec<_> = (0..100).map(|_| rollout.next_is_async()).collect();
        assert!(ways.windows(2).all(|pair| pair[0] != pair[1]), "{ways:?}");
    }

    #[test]
    fn a_bad_share_is_named() {
        assert_eq!(percent_in(br#"{"percent":100}"#), Ok(100));
        assert_eq!(percent_in(br#"{"percent":0}"#), Ok(0));
        for (body, named) in [
            ("{}", "'percent' is missing: a whole number from 0 to 100"),
            (r#"{"percent":101}"#, "'percent' is 101, expected a whole number from 0 to 100"),
            (r#"{"percent":-1}"#, "'percent' is -1"),
            (r#"{"percent":2.5}"#, "'percent' is 2.5"),
            (r#"{"percent":"20"}"#, "'percent' is \"20\""),
            ("[20]", "'body' is [20], expected a JSON object"),
            ("20%", "not valid JSON"),
        ] {
            let refusal = percent_in(body.as_bytes()).unwrap_err();
            assert!(refusal.to_string().contains(named), "{body}: {refusal}");
        }
    }
}
