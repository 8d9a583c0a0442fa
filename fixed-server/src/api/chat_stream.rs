use axum::extract::{Request, State};
use axum::response::Response;
use wire::chat::ChatRequest;

use super::{DEFAULT_MODEL, answer_streamed};
use crate::body::Format;
use crate::errors::Failure;
use crate::request::{Head, json_body};
use crate::state::Shared;

pub(super) async fn handle(State(state): State<Shared>, request: Request) -> Result<Response, Failure> {
    let head = Head::of(&state, &request)?;
    let (parts, body) = request.into_parts();
    let mut asked = ChatRequest::parse(&json_body(&state, &parts.headers, body).await?)?;
    // So that what was reserved and not used of the quota can be given back.
    asked.include_usage = true;
    let call = head.into_chat(&state, &asked, asked.to_vendor_body(DEFAULT_MODEL, true))?;
    Ok(answer_streamed(&state, call, Format::Tokens).await)
}
