//! One call for a whole chat completion, and what came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use tokio::time::timeout;
use wire::completion::Usage;
use wire::response::{ExpectedResponse, InvalidResponse, parse_response};
use wire::stream::CompletionEvent;

use super::excerpt::excerpt;
use crate::http::{self, ANSWER_BYTES_MAX, Endpoint, HttpError, Receive};
use crate::measure::{StreamEnd, StreamGuard, StreamLog};

/// The request of calls that differ in their bodies.
#[derive(Debug, Clone)]
pub struct WholeCallPlan {
    /// The server.
    pub endpoint: Endpoint,
    /// `/api/v1/chat/completions`.
    pub path: String,
    /// Headers besides `Host` and `Connection`.
    pub headers: Vec<(String, String)>,
    /// A call that takes longer has failed.
    pub timeout: Duration,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallAnswer {
    /// The status, if there was one.
    pub status: Option<u16>,
    /// From sending the request to the last byte of the answer.
    pub took: Duration,
    /// The tokens that the answer says it cost, or why it is none.
    pub result: Result<Option<Usage>, String>,
}

/// Makes one call and counts it in `log`. A 2xx that is not a chat completion has failed too.
pub async fn make_call(plan: &WholeCallPlan, body: impl Into<Bytes>, log: &Arc<StreamLog>) -> CallAnswer {
    let sent = Instant::now();
    let mut guard = StreamGuard::begin(log, sent);
    let mut status = None;
    let answered = timeout(plan.timeout, exchange(plan, body.into(), &mut guard, &mut status)).await;
    let answered =
        answered.unwrap_or_else(|_| Err(failed("timed out", format!("no answer within {:?}", plan.timeout))));
    let took = sent.elapsed();
    let (ended, result) = match answered {
        Ok(usage) => (StreamEnd::Completed, Ok(usage)),
        Err((ended, why)) => (ended, Err(why)),
    };
    guard.end(ended);
    CallAnswer { status, took, result }
}

/// How a call that failed is counted, and why it failed.
type CallFailure = (StreamEnd, String);

fn failed(cause: &'static str, why: String) -> CallFailure {
    (StreamEnd::Failed(cause), why)
}

async fn exchange(
    plan: &WholeCallPlan,
    body: Bytes,
    guard: &mut StreamGuard,
    status: &mut Option<u16>,
) -> Result<Option<Usage>, CallFailure> {
    let broken = |error: HttpError| failed(error.cause(), error.to_string());
    let request = plan.endpoint.request("POST", &plan.path, &plan.headers, body);
    let mut exchange = http::send(&plan.endpoint, request, Receive::AtOnce).await.map_err(broken)?;
    let code = exchange.response.status();
    *status = Some(code.as_u16());
    guard.answered(code.as_u16(), None);
    let kind = exchange.response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let answer = exchange.read_to_end(ANSWER_BYTES_MAX).await.map_err(broken)?;
    let answered = || reported(&answer).unwrap_or_else(|| excerpt(kind.as_deref(), &answer));
    if !code.is_success() {
        guard.keep_answer(StreamEnd::Refused(code.as_u16()), &answered());
        return Err((StreamEnd::Refused(code.as_u16()), answered()));
    }
    let read = parse_response(ExpectedResponse::Completion, kind.as_deref().unwrap_or_default(), &answer);
    let usage = read.map_err(|invalid| match invalid {
        InvalidResponse::Reported(_) => failed("answer reports an error", answered()),
        _ => failed("no chat completion", format!("no chat completion, but {}", answered())),
    })?;
    // An answer that comes as a whole counts as one token.
    guard.piece();
    usage.iter().for_each(|usage| guard.generated(usage.completion_tokens));
    Ok(usage)
}

/// The message of an answer that reports an error.
fn reported(answer: &[u8]) -> Option<String> {
    match CompletionEvent::read_json(str::from_utf8(answer).ok()?.trim()) {
        Ok(CompletionEvent::Error(reported)) => Some(excerpt(None, reported.reason.as_bytes())),
        _ => None,
    }
}
