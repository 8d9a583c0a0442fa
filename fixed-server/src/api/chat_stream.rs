//! `POST /chat/stream`

use axum::extract::{Request, State};
use axum::response::Response;

use super::answer::answer_streamed;
use crate::body::Format;
use crate::call::Call;
use crate::chat::Chat;
use crate::errors::{ErrorResponse, Failure};
use crate::request::{Head, assign_session, json_body, session_id};
use crate::state::Shared;

pub(super) async fn handle(State(state): State<Shared>, request: Request) -> Result<Response, ErrorResponse> {
    let call = Box::pin(read(&state, request)).await?;
    Ok(answer_streamed(&state, call, Format::Tokens).await)
}

/// Reads the call to make. Nothing else of the request is kept while the vendor answers: its
/// memory is free again, because this is boxed.
async fn read(state: &Shared, request: Request) -> Result<Call, Failure> {
    let head = Head::of(state, &request).enter(state)?;
    let (parts, body) = request.into_parts();
    let body = json_body(state, &head, &parts.headers, body, state.limits.own_body_bytes()).await?;
    let mut chat = state.chat_reader.read(body, Chat::stream).await?;
    let model = chat.model.take();
    let mut call = head.into_chat(state, chat, model.as_deref())?;
    assign_session(state, session_id(&parts.headers)?, None, model.as_deref(), &mut call);
    Ok(call)
}
