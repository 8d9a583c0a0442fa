//! OpenAI's `POST /v1/chat/completions`

use axum::extract::{Request, State};
use axum::response::Response;

use super::answer::{answer_streamed, answer_whole};
use crate::body::Format;
use crate::call::Call;
use crate::chat::Chat;
use crate::errors::{ErrorResponse, Failure};
use crate::request::{Head, assign_session, json_body, require_key, session_id};
use crate::state::Shared;

pub(super) async fn handle(State(state): State<Shared>, request: Request) -> Result<Response, ErrorResponse> {
    let (call, streamed) = Box::pin(read(&state, request)).await?;
    if streamed { Ok(answer_streamed(&state, call, Format::Chunks).await) } else { answer_whole(&state, call).await }
}

/// Reads the call to make, and whether its answer is streamed. Nothing else of the request is kept while the vendor
/// answers: its memory is free again, because this is boxed.
async fn read(state: &Shared, request: Request) -> Result<(Call, bool), Failure> {
    let key = require_key(state, request.headers()).await?;
    let head = Head::of(state, &request).with_key(&key).enter(state)?;
    let (parts, body) = request.into_parts();
    let body = json_body(state, &head, &parts.headers, body, state.limits.max_body_bytes.0).await?;
    let mut chat = state.chat_reader.read(body, Chat::relayed).await?;
    let (stream, model) = (chat.stream, chat.model.take());
    let mut call = head.into_chat(state, chat, model.as_deref())?;
    assign_session(state, session_id(&parts.headers)?, Some(&key), model.as_deref(), &mut call);
    Ok((call, stream))
}
