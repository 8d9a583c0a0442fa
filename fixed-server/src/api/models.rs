use axum::extract::{Request, State};
use axum::response::Response;
use resilience::Deadline;

use super::json;
use crate::errors::{Failure, UpstreamFailure};
use crate::request::{Head, require_key};
use crate::stack::until_cut;
use crate::state::Shared;

/// The vendor's list. It generates nothing, so it takes no permit and has no outcome.
pub(super) async fn handle(State(state): State<Shared>, request: Request) -> Result<Response, Failure> {
    require_key(&state, request.headers()).await?;
    let call = Head::of(&state, &request)?.into_models();
    let models = until_cut(&state, async {
        let asked = Deadline::after(state.limits.call_timeout).bound(state.upstream.whole(&call)).await;
        asked.map_err(|_| UpstreamFailure::CallTimeout)?
    });
    let models = models.await.inspect_err(|failure| {
        tracing::info!(request_id = call.request_id, %failure, "the vendor's models cannot be listed");
    });
    // It is asked once, so that a client may well try again.
    models.map(json)
}
