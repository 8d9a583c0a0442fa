//! OpenAI's routes.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use gateway::Route;
use wire::models;

use super::answer::{answer_streamed, answer_whole};
use crate::call::Call;
use crate::call_style::DynCallStyle;
use crate::chat::Chat;
use crate::errors::{ErrorResponse, Failure, add_headers};
use crate::request::{enter, json_body, require_key, to_call};
use crate::state::AppState;

/// `POST /v1/chat/completions`. The body is checked, then passed on unchanged: it may have fields that only
/// the vendor knows.
pub(super) async fn create(
    style: Data<dyn DynCallStyle>,
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ErrorResponse> {
    let key = require_key(&state, &request).await?;
    let user_permit = enter(&state, &request, Some(&key))?;
    let body = json_body(&state, &request, payload, state.max_body_bytes).await?;
    let chat = style.dyn_read(&state, body, Chat::relayed).await?;
    let call = to_call(&state, &request, Route::ChatCompletions, chat.body);
    let model = chat.model.as_deref().and_then(|model| state.quota.limited_model(model));
    let call = Call { key: Some(key), user_permit, model, ..call };
    if chat.stream { answer_streamed(style, state, call).await } else { answer_whole(&**style, &state, call).await }
}

/// `GET /v1/models`: the vendor's list.
pub(super) async fn list(
    style: Data<dyn DynCallStyle>,
    state: Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, ErrorResponse> {
    Ok(ask_for_models(&**style, &state, &request).await?.into_response())
}

/// `GET /v1/models/{model}`: one of the list. So it is found even if the vendor has no route for a single
/// model.
pub(super) async fn model(
    style: Data<dyn DynCallStyle>,
    state: Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, ErrorResponse> {
    let list = ask_for_models(&**style, &state, &request).await?;
    let name = models::name_in_path(request.uri().path()).unwrap_or_default();
    let body = models::find(&list.body, &name)?.to_owned().into();
    Ok(List { body, ..list }.into_response())
}

/// The vendor's list of models, with the headers that came with it.
struct List {
    body: Bytes,
    /// Headers in which the vendor states its rate limits.
    rate_limits: Vec<(String, String)>,
}

impl List {
    fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        add_headers(&mut response, &self.rate_limits);
        response.content_type("application/json").body(self.body)
    }
}

/// Fetches the vendor's list. The vendor generates nothing for it, so it does not count as a call.
async fn ask_for_models(style: &dyn DynCallStyle, state: &AppState, request: &HttpRequest) -> Result<List, Failure> {
    require_key(state, request).await?;
    let call = to_call(state, request, Route::Models, Bytes::new());
    let progress = call.progress.clone();
    let body = state.until_grace_over(style.dyn_models(state, call)).await?;
    Ok(List { body, rate_limits: progress.take_rate_limits() })
}
