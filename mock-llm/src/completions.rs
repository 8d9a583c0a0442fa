//! `POST /v1/chat/completions`: the steps of a request, in order.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fastrand::Rng;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Response};
use tokio::time::Instant;
use wire::REQUEST_ID_HEADER;
use wire::chat::ChatRequest;
use wire::completion::Usage;
use wire::error::RequestError;

use crate::abort::Abort;
use crate::answer::Answer;
use crate::answer_response;
use crate::answer_spec::AnswerSpec;
use crate::chunks::ChunkHeader;
use crate::failure::Failure;
use crate::faults::Replacement;
use crate::generation::{Generation, GenerationResources};
use crate::generation_slots::SlotPermit;
use crate::http::{AnswerBody, IncomingRequest, read_body};
use crate::ledger::GenerationGuard;
use crate::mock_headers::MockHeaders;
use crate::quota_enforcer::OverQuota;
use crate::rate_limit_headers;
use crate::settings::Settings;
use crate::vendor::Vendor;

/// `POST /v1/chat/completions`: first the request is checked, then the quotas, then faults replace the answer,
/// then it is generated.
pub(crate) async fn complete(
    vendor: &Arc<Vendor>,
    request: IncomingRequest<'_>,
) -> Result<Response<AnswerBody>, Failure> {
    let arrived = Instant::now();
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    let mock_headers = MockHeaders::read(&parts.headers)?;
    let body = read_body(body, vendor.settings.max_body_bytes.0).await?;
    let chat_request = ChatRequest::parse_as_vendor(&body)?;
    let model = known_model(&vendor.settings, &chat_request)?;
    let mut rngs = vendor.next_rngs();
    let spec = AnswerSpec::new(&vendor.settings, &mock_headers, &chat_request);
    let usage = Usage::new(chat_request.prompt_tokens(), u64::from(spec.tokens));
    let admitted = vendor.quota_enforcer.admit(usage.total_tokens);
    let request_id = parts.headers.get(REQUEST_ID_HEADER).and_then(|id| id.to_str().ok());
    let refused = |over: &OverQuota| vendor.counters.refused(request_id, over.retry_after);
    let (in_flight, status) = admitted.inspect_err(refused)?;

    let (guard, attempt) = GenerationGuard::start(&vendor.counters, request_id, usage.prompt_tokens);
    let faults = vendor.faults.choose(&mock_headers.faults, attempt, &mut rngs.faults);
    vendor.counters.count_faults(faults.faults());
    if let Some(Replacement::Status(_, Some(seconds))) = faults.replacement {
        vendor.counters.asked_to_wait(request_id, Duration::from_secs(seconds.into()));
    }
    let guard = replace_answer(faults.replacement, guard).await?;
    if let Some(delay) = faults.slow_headers {
        tokio::time::sleep(delay).await;
    }
    let slot = wait_for_slot(vendor, &guard).await;

    let spec = spec.with_faults(&faults);
    let generation =
        Generation::start(vendor, GenerationResources { slot, in_flight, guard }, &spec, rngs.delays, arrived);
    let head = ChunkHeader {
        id: completion_id(rngs.id),
        created: unix_seconds(),
        model,
        with_usage: chat_request.include_usage,
    };
    let Settings { seed, chunk_bytes, split_characters, .. } = vendor.settings;
    let answer = Answer { generation, head, spec, usage, seed, chunk_bytes, split_characters };
    let mut response =
        if chat_request.stream { answer_response::streamed(answer) } else { answer_response::complete(answer).await? };
    rate_limit_headers::add(&status, response.headers_mut());
    Ok(response)
}

fn require_json(headers: &HeaderMap) -> Result<(), RequestError> {
    let found = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
    let media_type = found.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(RequestError::UnsupportedMediaType { found: found.chars().take(40).collect() })
}

fn known_model(settings: &Settings, chat_request: &ChatRequest<'_>) -> Result<String, Failure> {
    let model = chat_request.require_model()?;
    if settings.strict_models && !settings.models.iter().any(|known| known == model) {
        return Err(Failure::UnknownModel(model.chars().take(80).collect()));
    }
    Ok(model.to_owned())
}

/// Returns the guard if no fault replaces the answer.
async fn replace_answer(replacement: Option<Replacement>, guard: GenerationGuard) -> Result<GenerationGuard, Failure> {
    let failure = match replacement {
        None => return Ok(guard),
        // Until the client disconnects, which drops this future and its guard.
        Some(Replacement::Hang) => match pending::<Infallible>().await {},
        Some(Replacement::Status(status, retry_after)) => Failure::Status(status, retry_after),
        Some(Replacement::Reset) => Abort::Reset.into(),
        Some(Replacement::Close) => Abort::Close.into(),
    };
    guard.fail();
    Err(failure)
}

async fn wait_for_slot(vendor: &Vendor, guard: &GenerationGuard) -> SlotPermit {
    if let Some(slot) = vendor.slots.try_acquire() {
        return slot;
    }
    let _waiting = guard.wait();
    vendor.slots.acquire().await
}

/// As long as those of the real API, so that chunks have the same size.
fn completion_id(mut rng: Rng) -> String {
    format!("chatcmpl-{:016x}{:013x}", rng.u64(..), rng.u64(..) >> 12)
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
