//! Reading requests and rejecting invalid ones.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use gateway::{ID_BYTES_MAX, KeyHash, Route, UserPermit, is_valid_id, shorten};
use http_body_util::BodyExt;
use resilience::Deadline;
use wire::authorization::bearer_key;
use wire::error::RequestError;
use wire::{MOCK_HEADER_PREFIX, SESSION_ID_HEADER};

use crate::body_memory::BudgetedBody;
use crate::call::{Call, tokens_to_reserve};
use crate::chat::{Chat, DEFAULT_MODEL};
use crate::errors::Failure;
use crate::identity::{RequestId, User, user_of_peer};
use crate::outcome;
use crate::sessions::KeyId;
use crate::state::AppState;

/// The session that a request belongs to, if it names one.
///
/// # Errors
/// [`RequestError::InvalidValue`] for an invalid id: it is not replaced, because its calls would not be found under
/// another one.
pub(crate) fn session_id(headers: &HeaderMap) -> Result<Option<&str>, RequestError> {
    let Some(sent) = headers.get(SESSION_ID_HEADER) else { return Ok(None) };
    match sent.to_str() {
        Ok(id) if is_valid_id(id) => Ok(Some(id)),
        _ => Err(RequestError::InvalidValue {
            param: "X-Session-ID".into(),
            found: format!("'{}'", shorten(&String::from_utf8_lossy(sent.as_bytes()))),
            expected: format!("1 to {ID_BYTES_MAX} visible ASCII characters").into(),
        }),
    }
}

/// What a call to the vendor needs of the request's head.
#[derive(Debug)]
pub(crate) struct Head {
    request_id: String,
    mock_headers: Vec<(String, String)>,
    user: User,
    /// The user's permit, where users have limits.
    user_permit: Option<Arc<UserPermit<KeyId>>>,
}

impl Head {
    /// Reads what the vendor and the limits need to know of `request`.
    pub(crate) fn of(state: &AppState, request: &Request) -> Self {
        let request_id = request.extensions().get::<RequestId>().map_or_else(String::new, |id| id.0.clone());
        let steering = request.headers().iter().filter(|(name, _)| name.as_str().starts_with(MOCK_HEADER_PREFIX));
        let steering = steering.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let mock_headers = if state.allow_mock_headers { steering.collect() } else { Vec::new() };
        Head { request_id, mock_headers, user: user_of_peer(request), user_permit: None }
    }

    /// The same for a request with this key: its user is the key's owner, whatever its address.
    pub(crate) fn with_key(self, key: &KeyId) -> Self {
        Head { user: User::Key(key.clone()), ..self }
    }

    // ANCHOR: noisy-neighbour
    /// The same with a permit of its user. It is taken before the body is read, so that a user over a limit costs
    /// neither the memory for a body nor the time to read it.
    ///
    /// # Errors
    /// [`Failure::UserLimit`], which is counted as the request's outcome.
    pub(crate) fn enter(self, state: &AppState) -> Result<Self, Failure> {
        let Some(users) = &state.users else { return Ok(self) };
        // FIX noisy-neighbour: a user over a limit is rejected here, before the queue, the permits and the memory that
        // all users share.
        match users.try_enter(self.user.clone()) {
            Ok(user_permit) => Ok(Head { user_permit: Some(Arc::new(user_permit)), ..self }),
            Err(rejected) => {
                let failure = Failure::from(rejected);
                outcome::rejected(&state.metrics.llm, &self.request_id, &failure);
                Err(failure)
            }
        }
    }
    // ANCHOR_END: noisy-neighbour

    /// The call that asks the vendor for a chat with `model`, or with the default one.
    ///
    /// # Errors
    /// [`RequestError::InvalidValue`] for more tokens than the quota ever allows at once.
    pub(crate) fn into_chat(self, state: &AppState, chat: Chat, model: Option<&str>) -> Result<Call, RequestError> {
        let tokens = tokens_to_reserve(&chat, state.tokens_max)?;
        Ok(Call {
            model: state.limits.quota.limited_model(model.unwrap_or(DEFAULT_MODEL)),
            tokens,
            prompt_tokens: chat.prompt_tokens,
            body: chat.body,
            ..self.into_call(state, Route::ChatCompletions)
        })
    }

    /// The call that asks the vendor for its models.
    pub(crate) fn into_models(self, state: &AppState) -> Call {
        self.into_call(state, Route::Models)
    }

    fn into_call(self, state: &AppState, route: Route) -> Call {
        let Head { request_id, mock_headers, user: _, user_permit } = self;
        let (body, progress) = (Bytes::new(), Arc::default());
        Call {
            route,
            body,
            request_id,
            mock_headers,
            deadline: Deadline::after(state.limits.call.sla),
            user_permit,
            model: None,
            tokens: 0,
            prompt_tokens: 0,
            session: None,
            progress,
        }
    }
}

/// Reads a body that must be JSON of at most `max_bytes`. Its content is checked later.
///
/// # Errors
/// [`RequestError::UnsupportedMediaType`], [`RequestError::BodyTooLarge`], [`RequestError::InvalidJson`] for a truncated
/// body, [`RequestError::BodyTimeout`], and [`Failure::BodyMemory`], which is counted as the request's outcome.
pub(crate) async fn json_body(
    state: &AppState,
    head: &Head,
    headers: &HeaderMap,
    body: Body,
    max_bytes: usize,
) -> Result<BudgetedBody, Failure> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let sent = text(CONTENT_TYPE).unwrap_or("");
    let found = sent.split(';').next().unwrap_or("").trim();
    if !found.eq_ignore_ascii_case("application/json") {
        let found = if found.is_empty() { "none".to_owned() } else { shorten(found) };
        return Err(RequestError::UnsupportedMediaType { found }.into());
    }
    let announced = text(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
    if announced > max_bytes {
        return Err(RequestError::BodyTooLarge { limit: max_bytes }.into());
    }
    // Without a length, as many bytes as are allowed.
    let most = if announced > 0 { announced } else { max_bytes };
    let empty = BudgetedBody::new(state.body_memory.clone(), head.user.clone(), most);
    let read = Deadline::after(state.limits.read_timeout).timeout(read(body, empty, max_bytes)).await;
    read.map_err(|_| RequestError::BodyTimeout)?.inspect_err(|failure| {
        if let Failure::BodyMemory(_) = failure {
            outcome::rejected(&state.metrics.llm, &head.request_id, failure);
        }
    })
}

async fn read(mut body: Body, mut whole: BudgetedBody, max_bytes: usize) -> Result<BudgetedBody, Failure> {
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| RequestError::InvalidJson("it broke off".into()))?.into_data() else {
            continue;
        };
        seen += piece.len();
        if seen > max_bytes {
            return Err(RequestError::BodyTooLarge { limit: max_bytes }.into());
        }
        whole.push(&piece)?;
    }
    whole.finish();
    Ok(whole)
}

/// Checks the key of a request and returns its id.
///
/// # Errors
/// [`RequestError::InvalidApiKey`], and [`Failure::Database`] when the key cannot be looked up.
pub(crate) async fn require_key(state: &AppState, headers: &HeaderMap) -> Result<KeyId, Failure> {
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    // A value that cannot be a key is not looked up.
    let hash = sent.and_then(bearer_key).and_then(|key| KeyHash::of(key).ok()).ok_or(RequestError::InvalidApiKey)?;
    Ok(state.sessions.check_key(&hash).await?.ok_or(RequestError::InvalidApiKey)?)
}

/// Assigns `call` to a session, if the request names one. The session is stored once the call has its permit.
pub(crate) fn assign_session(
    state: &AppState,
    session_id: Option<&str>,
    key: Option<&KeyId>,
    model: Option<&str>,
    call: &mut Call,
) {
    let model = shorten(model.unwrap_or(DEFAULT_MODEL));
    call.session = session_id.map(|name| state.sessions.call(name, key, &call.request_id, &model));
}
