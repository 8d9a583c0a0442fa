use axum::extract::{Request, State};
use axum::response::Response;
use wire::chat::ChatRequest;

use super::{DEFAULT_MODEL, answer_streamed, name_session};
use crate::body::Format;
use crate::call::Call;
use crate::errors::Failure;
use crate::request::{Head, json_body, session_id};
use crate::state::Shared;

pub(super) async fn handle(State(state): State<Shared>, request: Request) -> Result<Response, Failure> {
    let call = read(&state, request).await?;
    Ok(answer_streamed(&state, call, Format::Tokens).await)
}

/// What is to be asked of the vendor. Nothing of the request but this is held while the vendor thinks.
async fn read(state: &Shared, request: Request) -> Result<Call, Failure> {
    let head = Head::of(state, &request)?.enter(state)?;
    let (parts, body) = request.into_parts();
    let body = json_body(state, &head, &parts.headers, body, state.limits.own_body_bytes()).await?;
    let mut asked = ChatRequest::parse(body.as_ref())?;
    // So that what was reserved and not used of the quota can be given back.
    asked.include_usage = true;
    let mut call = head.into_chat(state, &asked)?;
    name_session(state, session_id(&parts.headers)?, None, asked.model.as_deref(), &mut call);
    let rewritten = asked.to_vendor_body(DEFAULT_MODEL, true);
    call.body = body.replace(rewritten);
    Ok(call)
}
