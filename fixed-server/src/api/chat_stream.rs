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
    let call = read(&state, request).await?;
    Ok(answer_streamed(&state, call, Format::Tokens).await)
}

/// What is to be asked of the vendor. Nothing of the request but this is held while the vendor thinks.
async fn read(state: &Shared, request: Request) -> Result<Call, Failure> {
    let head = Head::of(state, &request).enter(state)?;
    let (parts, body) = request.into_parts();
    let body = json_body(state, &head, &parts.headers, body, state.limits.own_body_bytes()).await?;
    let mut asked = Chat::read(&state.body_reader, body, Chat::stream).await?;
    let model = asked.model.take();
    let mut call = head.into_chat(state, asked)?;
    assign_session(state, session_id(&parts.headers)?, None, model.as_deref(), &mut call);
    Ok(call)
}
