//! `POST /llm`

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::answer::answer_whole;
use crate::call::Call;
use crate::chat::Chat;
use crate::errors::{ErrorResponse, Failure};
use crate::request::{Head, assign_session, json_body, session_id};
use crate::state::Shared;

pub(super) async fn handle(State(state): State<Shared>, request: Request) -> Result<Response, ErrorResponse> {
    let call = Box::pin(read(&state, request)).await?;
    answer_whole(&state, call).await
}

/// Reads the call to make. Nothing else of the request is kept while the vendor answers: its memory is free again,
/// because this is boxed.
async fn read(state: &Shared, request: Request) -> Result<Call, Failure> {
    let (mut call, model, headers) = read_chat(state, request).await?;
    assign_session(state, session_id(&headers)?, None, model.as_deref(), &mut call);
    Ok(call)
}

/// Reads the call to make, the model that it names, and the headers.
pub(super) async fn read_chat(state: &Shared, request: Request) -> Result<(Call, Option<String>, HeaderMap), Failure> {
    let head = Head::of(state, &request).enter(state)?;
    let (parts, body) = request.into_parts();
    let body = json_body(state, &head, &parts.headers, body, state.limits.own_body_bytes()).await?;
    let mut chat = state.chat_reader.read(body, Chat::whole).await?;
    let model = chat.model.take();
    let call = head.into_chat(state, chat, model.as_deref())?;
    Ok((call, model, parts.headers))
}
