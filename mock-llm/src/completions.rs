//! `POST /v1/chat/completions`: the order in which a request is judged.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use fastrand::Rng;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Response};
use tokio::time::Instant;
use wire::REQUEST_ID_HEADER;
use wire::chat::ChatRequest;
use wire::completion::Usage;
use wire::error::Refusal;

use crate::answer::{self, Answer};
use crate::answer_spec::Plan;
use crate::chunks::Head;
use crate::connection::Hangup;
use crate::failure::Failure;
use crate::faults::Instead;
use crate::generation::{Generation, Held};
use crate::generation_slots::Slot;
use crate::ledger::Entry;
use crate::mock_headers::Overrides;
use crate::rate_limit_headers;
use crate::routes::{AnswerBody, CallersRequest, read_body};
use crate::settings::Settings;
use crate::vendor::Vendor;

/// `POST /v1/chat/completions`: what is wrong with the request itself comes first, then the quotas,
/// then faults in place of an answer, then the answer.
pub(crate) async fn complete(
    vendor: &Arc<Vendor>,
    request: CallersRequest<'_>,
) -> Result<Response<AnswerBody>, Failure> {
    let arrived = Instant::now();
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    let overrides = Overrides::read(&parts.headers)?;
    let body = read_body(body, vendor.settings.max_body_bytes.0).await?;
    let asked = ChatRequest::parse_as_vendor(&body)?;
    let model = known_model(&vendor.settings, &asked)?;
    let mut choices = vendor.next_choices();
    let plan = Plan::new(&vendor.settings, &overrides, &asked);
    let usage = Usage::new(asked.prompt_tokens(), u64::from(plan.tokens));
    let admitted = vendor.gate.admit(usage.total_tokens);
    let (place, standings) = admitted.inspect_err(|_| vendor.recorder.refused())?;

    let request_id = parts.headers.get(REQUEST_ID_HEADER).and_then(|id| id.to_str().ok());
    let (entry, attempt) = vendor.recorder.start(request_id, usage.prompt_tokens);
    let faults = vendor.faults.choose(&overrides.faults, attempt, &mut choices.faults);
    vendor.recorder.faults_given(faults.faults());
    let entry = answer_instead(faults.instead, entry).await?;
    if let Some(delay) = faults.slow_headers {
        tokio::time::sleep(delay).await;
    }
    let slot = wait_for_slot(vendor, &entry).await;

    let plan = plan.with(&faults);
    let generation = Generation::begin(vendor, Held { slot, place, entry }, &plan, choices.delays, arrived);
    let head = Head { id: completion_id(choices.id), created: unix_seconds(), model, with_usage: asked.include_usage };
    let answer = Answer { generation, head, plan, usage, seed: vendor.settings.seed };
    let mut response = if asked.stream { answer::streamed(answer) } else { answer::whole(answer).await? };
    rate_limit_headers::add(&standings, response.headers_mut());
    Ok(response)
}

fn require_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let found = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
    let media_type = found.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::MediaType { found: found.chars().take(40).collect() })
}

fn known_model(settings: &Settings, asked: &ChatRequest<'_>) -> Result<String, Failure> {
    let model = asked.require_model()?;
    if settings.strict_models && !settings.models.iter().any(|known| known == model) {
        return Err(Failure::UnknownModel(model.chars().take(80).collect()));
    }
    Ok(model.to_owned())
}

/// Gives the entry back when no fault takes the place of an answer.
async fn answer_instead(instead: Option<Instead>, entry: Entry) -> Result<Entry, Failure> {
    let failure = match instead {
        None => return Ok(entry),
        // The entry waits with it, until the client leaves and both are dropped.
        Some(Instead::Hang) => match pending::<Infallible>().await {},
        Some(Instead::Status(status, retry_after)) => Failure::Status(status, retry_after),
        Some(Instead::Reset) => Hangup::Reset.into(),
        Some(Instead::Close) => Hangup::Close.into(),
    };
    entry.fail();
    Err(failure)
}

async fn wait_for_slot(vendor: &Vendor, entry: &Entry) -> Slot {
    if let Some(slot) = vendor.slots.try_take() {
        return slot;
    }
    let _waiting = entry.wait();
    vendor.slots.take().await
}

/// As long as the real one, so that chunks have the real size.
fn completion_id(mut choices: Rng) -> String {
    format!("chatcmpl-{:016x}{:013x}", choices.u64(..), choices.u64(..) >> 12)
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
