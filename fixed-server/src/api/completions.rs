use axum::extract::{Request, State};
use axum::response::Response;
use wire::chat::ChatRequest;

use super::{answer_streamed, answer_whole};
use crate::body::Format;
use crate::errors::Failure;
use crate::request::{Head, json_body, require_key};
use crate::state::Shared;

/// The body is checked, then passed on as it came: it may have fields that are the vendor's business
/// alone.
pub(super) async fn handle(State(state): State<Shared>, request: Request) -> Result<Response, Failure> {
    require_key(&state, request.headers())?;
    let head = Head::of(&state, &request)?;
    let (parts, body) = request.into_parts();
    let body = json_body(&state, &parts.headers, body).await?;
    let asked = ChatRequest::parse(&body)?;
    asked.require_model()?;
    let call = head.into_chat(&state, &asked, body)?;
    if asked.stream {
        Ok(answer_streamed(&state, call, Format::Chunks).await)
    } else {
        answer_whole(&state, call).await
    }
}
