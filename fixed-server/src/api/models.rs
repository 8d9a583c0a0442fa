//! `GET /v1/models` and one of them

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use resilience::Deadline;
use wire::models;

use super::answer::json;
use crate::errors::{ErrorResponse, Failure, UpstreamFailure};
use crate::request::{Head, require_key};
use crate::stack::until_grace_over;
use crate::state::Shared;
use crate::upstream::Answer;

/// The vendor's list.
pub(super) async fn list(State(state): State<Shared>, request: Request) -> Result<Response, ErrorResponse> {
    let head = Head::of(&state, &request);
    Ok(json(ask(&state, request.headers(), head).await?))
}

/// A model of the list. It is found even if the vendor has no route for a single model.
pub(super) async fn one(State(state): State<Shared>, request: Request) -> Result<Response, ErrorResponse> {
    let head = Head::of(&state, &request);
    let models = ask(&state, request.headers(), head).await?;
    let name = models::name_in_path(request.uri().path()).unwrap_or_default();
    let body = models::find(&models.body, &name)?.to_owned().into();
    Ok(json(Answer { body, ..models }))
}

/// Gets the vendor's list. Nothing is generated, so the call takes no permit and has no outcome.
async fn ask(state: &Shared, headers: &HeaderMap, head: Head) -> Result<Answer, Failure> {
    require_key(state, headers).await?;
    let call = head.into_models(state);
    let models = until_grace_over(state, async {
        let asked = Deadline::after(state.limits.call.call_timeout).timeout(state.upstream.whole(&call)).await;
        asked.map_err(|_| UpstreamFailure::CallTimeout)?
    });
    let models = models.await.inspect_err(|failure| {
        tracing::info!(request_id = call.request_id, %failure, "the vendor's models cannot be listed");
    });
    // It is called once, so that the client may try again.
    models
}
