//! `POST /llm/summary`

use axum::extract::{Request, State};
use axum::response::Response;

use super::answer::answer_summary;
use super::llm::read_chat;
use crate::errors::ErrorResponse;
use crate::state::Shared;

/// Answers with a summary of the answer that `/llm` would give. It belongs to no session: a session has one result for
/// each request, and this one has two calls.
pub(super) async fn handle(State(state): State<Shared>, request: Request) -> Result<Response, ErrorResponse> {
    let (call, ..) = Box::pin(read_chat(&state, request)).await?;
    answer_summary(&state, call).await
}
