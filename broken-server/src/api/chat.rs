//! `/chat/stream`, `/llm` and `/llm/summary`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use gateway::Route;

use super::answer::{answer_streamed, answer_summary, answer_whole};
use crate::call::Call;
use crate::call_style::DynCallStyle;
use crate::chat::{Chat, DEFAULT_MODEL, Parse};
use crate::errors::ErrorResponse;
use crate::format::{Format, TokenFormat};
use crate::request::{enter, json_body, to_call};
use crate::state::AppState;

/// `POST /chat/stream`
pub(super) async fn stream(
    style: Data<dyn DynCallStyle>,
    format: Data<TokenFormat>,
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ErrorResponse> {
    let call = read(&**style, &state, &request, payload, Chat::stream).await?;
    answer_streamed(style, state, Call { format: Format::Tokens(**format), ..call }).await
}

/// `POST /llm`
pub(super) async fn whole(
    style: Data<dyn DynCallStyle>,
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ErrorResponse> {
    let call = read(&**style, &state, &request, payload, Chat::whole).await?;
    answer_whole(&**style, &state, call).await
}

/// `POST /llm/summary`: a summary of the answer that `/llm` would give.
pub(super) async fn summary(
    style: Data<dyn DynCallStyle>,
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ErrorResponse> {
    let call = read(&**style, &state, &request, payload, Chat::whole).await?;
    answer_summary(&**style, &state, call).await
}

/// The call that a request asks for.
async fn read(
    style: &dyn DynCallStyle,
    state: &AppState,
    request: &HttpRequest,
    payload: Payload,
    parse: Parse,
) -> Result<Call, ErrorResponse> {
    let user_permit = enter(state, request, None)?;
    let body = json_body(state, request, payload, state.own_body_bytes()).await?;
    let chat = style.dyn_read(state, body, parse).await?;
    let call = to_call(state, request, Route::ChatCompletions, chat.body);
    let model = state.quota.limited_model(chat.model.as_deref().unwrap_or(DEFAULT_MODEL));
    Ok(Call { user_permit, model, ..call })
}
