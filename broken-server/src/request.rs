//! Reads and rejects requests.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use actix_web::web::Payload;
use actix_web::{HttpMessage, HttpRequest};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use gateway::{KeyHash, Route, User, UserPermit, request_id, shorten};
use resilience::Deadline;
use tokio::time::timeout;
use wire::authorization::bearer_key;
use wire::error::RequestError;
use wire::operator;
use wire::{MOCK_HEADER_PREFIX, REQUEST_ID_HEADER};

use crate::call::Call;
use crate::call_guard::CallGuard;
use crate::errors::Failure;
use crate::format::Format;
use crate::state::AppState;

/// The id of a request, kept in its extensions by the middleware.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

impl RequestId {
    /// The client's id if it is valid, or else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        RequestId(request_id(headers.get(REQUEST_ID_HEADER).and_then(|value| value.to_str().ok())))
    }

    /// The id that the middleware has kept.
    fn kept(request: &HttpRequest) -> String {
        request.extensions().get::<RequestId>().map_or_else(String::new, |id| id.0.clone())
    }
}

/// The call to `route` for this request.
pub(crate) fn to_call(state: &AppState, request: &HttpRequest, route: Route, body: impl Into<Bytes>) -> Call {
    let request_id = RequestId::kept(request);
    let mut mock_headers = Vec::new();
    if state.allow_mock_headers {
        let steering = request.headers().iter().filter(|(name, _)| name.as_str().starts_with(MOCK_HEADER_PREFIX));
        for (name, value) in steering {
            if let Ok(value) = value.to_str() {
                mock_headers.push((name.to_string(), value.to_owned()));
            }
        }
    }
    let (body, format, progress) = (body.into(), Format::Chunks, Arc::default());
    let deadline = Deadline::after(state.limits.sla);
    Call {
        route,
        body,
        request_id,
        mock_headers,
        deadline,
        format,
        key: None,
        user_permit: None,
        model: None,
        progress,
    }
}

/// The body of a request that must be JSON of at most `max_bytes`. Its content is checked later.
///
/// # Errors
/// [`RequestError::UnsupportedMediaType`], [`RequestError::BodyTooLarge`] (at once if the length is known, or else
/// after that many bytes), [`RequestError::InvalidJson`] for an incomplete body, and [`RequestError::BodyTimeout`] for one
/// that takes too long.
pub(crate) async fn json_body(
    state: &AppState,
    request: &HttpRequest,
    payload: Payload,
    max_bytes: usize,
) -> Result<Bytes, RequestError> {
    let found = request.content_type();
    if !found.eq_ignore_ascii_case("application/json") {
        let found = if found.is_empty() { "none".to_owned() } else { shorten(found) };
        return Err(RequestError::UnsupportedMediaType { found });
    }
    let headers = request.headers();
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    // A request without both headers has no body.
    let length = length.or((!headers.contains_key(TRANSFER_ENCODING)).then_some(0));
    if length.is_some_and(|length| length > max_bytes) {
        return Err(RequestError::BodyTooLarge { limit: max_bytes });
    }
    timeout(state.read_timeout, read(payload, length, max_bytes)).await.unwrap_or(Err(RequestError::BodyTimeout))
}

/// Reads a body, of this `length` if it is known: after a request to upgrade the connection, actix treats everything
/// that follows as an endless body.
async fn read(mut payload: Payload, length: Option<usize>, max_bytes: usize) -> Result<Bytes, RequestError> {
    let mut whole = BytesMut::new();
    while length.is_none_or(|length| whole.len() < length)
        && let Some(piece) = payload.next().await
    {
        whole.extend_from_slice(&piece.map_err(|_| RequestError::InvalidJson("it is incomplete".into()))?);
        if whole.len() > max_bytes {
            return Err(RequestError::BodyTooLarge { limit: max_bytes });
        }
    }
    whole.truncate(length.unwrap_or(usize::MAX));
    Ok(whole.freeze())
}

/// Checks the key of a request, and returns its hash.
///
/// # Errors
/// [`RequestError::InvalidApiKey`], and [`Failure::Database`] when the key cannot be looked up.
pub(crate) async fn require_key(state: &AppState, request: &HttpRequest) -> Result<KeyHash, Failure> {
    let sent = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    // A value that cannot be a key is not looked up.
    let key = sent.and_then(bearer_key).and_then(|key| KeyHash::of(key).ok()).ok_or(RequestError::InvalidApiKey)?;
    if state.database.has_key(&key).await? { Ok(key) } else { Err(RequestError::InvalidApiKey.into()) }
}

/// Takes a permit of the user of a request: the owner of `key` or, on a route without keys, the peer's address. It is
/// taken before the body is read, so that a user over a limit costs neither the memory for a body nor the time to read it.
///
/// # Errors
/// [`Failure::UserLimit`], which is counted as the request's outcome.
pub(crate) fn enter(
    state: &AppState,
    request: &HttpRequest,
    key: Option<&KeyHash>,
) -> Result<Option<Arc<UserPermit<KeyHash>>>, Failure> {
    let Some(users) = &state.users else { return Ok(None) };
    let peer = || request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let user = key.map_or_else(|| User::Address(peer()), |key| User::Key(key.clone()));
    match users.try_enter(user) {
        Ok(permit) => Ok(Some(Arc::new(permit))),
        Err(rejected) => {
            let failure = Failure::from(rejected);
            CallGuard::begin(Arc::clone(&state.metrics.llm), RequestId::kept(request)).failed(&failure);
            Err(failure)
        }
    }
}

/// Checks that a request may change the running server.
///
/// # Errors
/// See [`operator::check`].
pub(crate) fn require_operator(request: &HttpRequest) -> Result<(), RequestError> {
    // The change is in its body.
    operator::check(|name| request.headers().get(name).map(HeaderValue::as_bytes), true)
}
