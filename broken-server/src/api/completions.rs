use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use wire::chat::ChatRequest;

use crate::calls::{AnyStyle, answer_streamed, answer_whole};
use crate::errors::{Failure, add_headers};
use crate::request::{json_body, require_key, to_call};
use crate::state::AppState;
use crate::vendor::Route;

/// `POST /v1/chat/completions`. The body is checked, then passed on as it came: it may have fields
/// that are the vendor's business alone.
pub(super) async fn create(
    style: Data<dyn AnyStyle>,
    state: Data<AppState>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Failure> {
    require_key(&state, &request)?;
    let body = json_body(&request, payload).await?;
    let asked = ChatRequest::parse_relayed(&body)?;
    asked.require_model()?;
    let call = to_call(&state, &request, Route::ChatCompletions, body.clone());
    if asked.stream {
        answer_streamed(&**style, &state, call).await
    } else {
        answer_whole(&**style, &state, call).await
    }
}

/// `GET /v1/models`: the vendor's list. It generates nothing, so it does not count as a call.
pub(super) async fn models(
    style: Data<dyn AnyStyle>,
    state: Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    require_key(&state, &request)?;
    let call = to_call(&state, &request, Route::Models, Bytes::new());
    let progress = call.progress.clone();
    let models = state.until_cut(style.any_models(&state, call)).await?;
    let mut response = HttpResponse::Ok();
    add_headers(&mut response, &progress.take_rate_limits());
    Ok(response.content_type("application/json").body(models))
}
