use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use wire::chat::ChatRequest;
use wire::models;

use crate::calls::{AnyStyle, answer_streamed, answer_whole};
use crate::errors::Failure;
use crate::relay::Format;
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
    let body = json_body(&state, &request, payload, state.max_body_bytes).await?;
    let asked = ChatRequest::parse_relayed(&body)?;
    asked.require_model()?;
    let call = to_call(&state, &request, Route::ChatCompletions, body.clone());
    if asked.stream {
        answer_streamed(&**style, &state, call, Format::Chunks).await
    } else {
        answer_whole(&**style, &state, call).await
    }
}

/// `GET /v1/models`: the vendor's list.
pub(super) async fn list(
    style: Data<dyn AnyStyle>,
    state: Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    Ok(json(ask_for_models(&**style, &state, &request).await?))
}

/// `GET /v1/models/{model}`: one of the list. Taken from there, it is found also where the vendor has no route for
/// a single one.
pub(super) async fn model(
    style: Data<dyn AnyStyle>,
    state: Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let list = ask_for_models(&**style, &state, &request).await?;
    let name = models::name_in_path(request.uri().path()).unwrap_or_default();
    Ok(json(models::find(&list, &name)?.to_owned().into()))
}

/// Asks the vendor for its list. It generates nothing, so it does not count as a call.
async fn ask_for_models(style: &dyn AnyStyle, state: &AppState, request: &HttpRequest) -> Result<Bytes, Failure> {
    require_key(state, request)?;
    let call = to_call(state, request, Route::Models, Bytes::new());
    state.until_cut(style.any_models(state, call)).await
}

fn json(body: Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(body)
}
