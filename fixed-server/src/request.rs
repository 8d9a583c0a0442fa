use std::hint::black_box;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use bytes::Bytes;
use http_body_util::BodyExt;
use resilience::{Ask, Deadline, Priority};
use uuid::Uuid;
use wire::chat::ChatRequest;
use wire::error::Refusal;
use wire::{BODY_BYTES_MAX, MOCK_HEADER_PREFIX, REQUEST_ID_HEADER};

use crate::call::{Call, Route, ask_for};
use crate::errors::Failure;
use crate::identity::{User, priority};
use crate::state::AppState;

/// Longest request id that is taken from a client, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// The id of a request, kept in its extensions by the middleware.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

impl RequestId {
    /// The client's id if it is sane, or else a new one. Sane is what can go into a header and a log
    /// line as it is: visible ASCII, of bounded length.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let sent = headers.get(REQUEST_ID_HEADER).and_then(|value| value.to_str().ok());
        let sane = sent.filter(|id| {
            !id.is_empty() && id.len() <= REQUEST_ID_BYTES_MAX && id.bytes().all(|byte| byte.is_ascii_graphic())
        });
        RequestId(sane.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned))
    }
}

/// The head of a request, as far as a call to the vendor is made from it.
#[derive(Debug)]
pub(crate) struct Head {
    request_id: String,
    mock_headers: Vec<(String, String)>,
    user: User,
    priority: Priority,
}

impl Head {
    /// What the vendor, and our limits, are to know of `request`.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for a priority that there is not.
    pub(crate) fn of(state: &AppState, request: &Request) -> Result<Self, Refusal> {
        let request_id = request.extensions().get::<RequestId>().map_or_else(String::new, |id| id.0.clone());
        let steering = request.headers().iter().filter(|(name, _)| name.as_str().starts_with(MOCK_HEADER_PREFIX));
        let steering = steering.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let mock_headers = if state.allow_mock_headers { steering.collect() } else { Vec::new() };
        let priority = if state.limits.priorities { priority(request.headers())? } else { Priority::default() };
        Ok(Head { request_id, mock_headers, user: User::at_the_other_end(request), priority })
    }

    /// The call for a chat that the request leads to, with this body.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for one with more tokens than can ever be let in.
    pub(crate) fn into_chat(
        self,
        state: &AppState,
        asked: &ChatRequest,
        body: impl Into<Bytes>,
    ) -> Result<Call, Refusal> {
        let ask = ask_for(asked, self.priority, state.tokens_max)?;
        Ok(Call { ask, prompt_tokens: asked.prompt_tokens(), ..self.into_call(Route::ChatCompletions, body) })
    }

    /// The call for the list of models.
    pub(crate) fn into_models(self) -> Call {
        self.into_call(Route::Models, Bytes::new())
    }

    fn into_call(self, route: Route, body: impl Into<Bytes>) -> Call {
        let Head { request_id, mock_headers, user, priority: _ } = self;
        let (ask, progress) = (Ask::default(), Arc::default());
        Call { route, body: body.into(), request_id, mock_headers, user, ask, prompt_tokens: 0, progress }
    }
}

/// The body of a request that must be JSON; what is in it is checked later.
///
/// # Errors
/// [`Refusal::MediaType`], [`Refusal::TooLarge`], [`Refusal::NotJson`] for a body that broke off, and
/// [`Failure::SlowClient`] for one that does not come.
pub(crate) async fn json_body(state: &AppState, headers: &HeaderMap, body: Body) -> Result<Bytes, Failure> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let sent = text(CONTENT_TYPE).unwrap_or("");
    let found = sent.split(';').next().unwrap_or("").trim();
    if !found.eq_ignore_ascii_case("application/json") {
        let found = if found.is_empty() { "none".to_owned() } else { shorten(found) };
        return Err(Refusal::MediaType { found }.into());
    }
    let told = text(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
    if told > BODY_BYTES_MAX && headers.contains_key(EXPECT) {
        // This client asked before it sends, and is told not to.
        return Err(Refusal::TooLarge { limit: BODY_BYTES_MAX }.into());
    }
    let read = Deadline::after(state.limits.read_timeout).bound(read(body, told)).await;
    Ok(read.map_err(|_| Failure::SlowClient)??)
}

/// Reads a body. What is over the limit is read too, up to a second limit, and dropped: a connection
/// that is closed with bytes unread is reset, and the reset overtakes the answer that says why.
async fn read(mut body: Body, told: usize) -> Result<Bytes, Refusal> {
    const DROPPED_BYTES_MAX: usize = 8 * BODY_BYTES_MAX;
    // In a buffer of its own, not in a part of the connection's: it may be held for a while.
    let mut whole = Vec::with_capacity(told.min(BODY_BYTES_MAX));
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| Refusal::NotJson("it broke off".into()))?.into_data() else { continue };
        seen += piece.len();
        if seen <= BODY_BYTES_MAX {
            whole.extend_from_slice(&piece);
        } else if seen > DROPPED_BYTES_MAX {
            break;
        }
    }
    if seen > BODY_BYTES_MAX { Err(Refusal::TooLarge { limit: BODY_BYTES_MAX }) } else { Ok(whole.into()) }
}

/// Lets a request with the right key pass.
///
/// # Errors
/// [`Refusal::ApiKey`].
pub(crate) fn require_key(state: &AppState, headers: &HeaderMap) -> Result<(), Refusal> {
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match sent.and_then(|value| value.split_once(' ')) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") && same(key.trim(), &state.api_key) => Ok(()),
        _ => Err(Refusal::ApiKey),
    }
}

/// Compares in a time that does not tell how much of a wrong key is right: every byte is looked at.
fn same(sent: &str, key: &str) -> bool {
    let differences = sent.bytes().zip(key.bytes()).fold(0, |seen, (a, b)| black_box(seen | (a ^ b)));
    sent.len() == key.len() && differences == 0
}

/// At most 80 characters of what a client sent.
pub(crate) fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    text.chars().take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn only_the_whole_key_is_the_key() {
        assert!(same("demo-key", "demo-key"));
        for wrong in ["", "demo-kex", "demo-ke", "demo-key1", "DEMO-KEY"] {
            assert!(!same(wrong, "demo-key"), "{wrong}");
        }
    }
}
