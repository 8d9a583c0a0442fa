use axum::extract::{Request, State};
use axum::response::Response;
use wire::chat::ChatRequest;

use super::{DEFAULT_MODEL, answer_whole, name_session};
use crate::errors::Failure;
use crate::request::{Head, json_body, session_id};
use crate::state::Shared;

pub(super) async fn handle(State(state): State<Shared>, request: Request) -> Result<Response, Failure> {
    let head = Head::of(&state, &request)?.enter(&state)?;
    let (parts, body) = request.into_parts();
    let body = json_body(&state, &head, &parts.headers, body, state.limits.own_body_bytes()).await?;
    let asked = ChatRequest::parse_prompt_or_messages(body.as_ref())?;
    let mut call = head.into_chat(&state, &asked)?;
    name_session(&state, session_id(&parts.headers)?, None, asked.model.as_deref(), &mut call);
    let rewritten = asked.to_vendor_body(DEFAULT_MODEL, false);
    call.body = body.replace(rewritten);
    answer_whole(&state, call).await
}
