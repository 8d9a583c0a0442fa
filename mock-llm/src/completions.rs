use std::future::poll_fn;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::Either;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Request, Response, StatusCode};
use wire::chat::ChatRequest;
use wire::completion::{Answer, Choice, Completion, Usage};
use wire::error::Refusal;
use wire::{REQUEST_ID_HEADER, sse};

use crate::chunks::Head;
use crate::failure::Failure;
use crate::generation::{Generation, Plan};
use crate::overrides::Overrides;
use crate::routes::{AnswerBody, json, read_body};
use crate::stream::StreamedAnswer;
use crate::text;
use crate::vendor::Vendor;

/// `POST /v1/chat/completions`.
pub(crate) async fn complete(
    vendor: &Arc<Vendor>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Failure> {
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    let overrides = Overrides::read(&parts.headers)?;
    let asked = ChatRequest::parse(&read_body(body).await?)?;
    let model = asked.require_model()?.to_owned();

    let plan = overrides.plan(&vendor.settings, asked.max_tokens);
    let usage = Usage::new(asked.prompt_tokens(), u64::from(plan.tokens));
    let number = vendor.next_request();
    let request_id = parts.headers.get(REQUEST_ID_HEADER).and_then(|id| id.to_str().ok());
    let entry = vendor.recorder.start(request_id);
    let head = Head { id: completion_id(vendor, number), created: unix_seconds(), model };
    let generation = Generation::begin(vendor, entry, plan, vendor.rng(number));

    let mut response = if asked.stream {
        let usage = asked.include_usage.then_some(usage);
        streamed(StreamedAnswer::new(generation, head, vendor.settings.seed, finish_reason(plan), usage))
    } else {
        whole(generation, head, vendor.settings.seed, plan, usage).await
    };
    let request_id = request_id.map_or_else(|| format!("req_{number}"), str::to_owned);
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
    }
    Ok(response)
}

fn streamed(answer: StreamedAnswer) -> Response<AnswerBody> {
    let mut response = Response::new(Either::Right(answer));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(sse::CONTENT_TYPE));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Takes as long as the stream would have taken, then answers at once.
async fn whole(mut generation: Generation, head: Head, seed: u64, plan: Plan, usage: Usage) -> Response<AnswerBody> {
    while !generation.is_over() {
        poll_fn(|cx| generation.poll_tokens(cx)).await;
    }
    generation.sent(&(0..plan.tokens));
    generation.complete();
    let message = Answer { role: "assistant".into(), content: text::answer(seed, plan.tokens) };
    let choice = Choice { index: 0, message, finish_reason: finish_reason(plan).into() };
    let Head { id, created, model } = head;
    json(
        StatusCode::OK,
        &Completion { id, object: "chat.completion".into(), created, model, choices: vec![choice], usage },
    )
}

fn finish_reason(plan: Plan) -> &'static str {
    if plan.cut_short { "length" } else { "stop" }
}

fn require_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let found = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
    let media_type = found.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::MediaType { found: found.chars().take(40).collect() })
}

/// As long as the real one, so that chunks have the real size. The same seed and request number
/// give the same id.
fn completion_id(vendor: &Vendor, number: u64) -> String {
    let mut rng = vendor.rng(number);
    format!("chatcmpl-{:016x}{:013x}", rng.u64(..), rng.u64(..) >> 12)
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
