//! THE ORDER of a request's path, outermost first. Each step has a reason to stand where it stands.
//!
//! Swapping two of them changes numbers. With `--queue-timeout 5s --call-timeout 30s`:
//!
//! - the queue timeout around the wait alone: a call that waits 4 s and takes 20 s is answered;
//! - the queue timeout around wait *and* call: the same call is cut 1 s after its start, the vendor
//!   has begun it, and the call timeout of 30 s can never be reached.

use bytes::Bytes;
use resilience::{Deadline, Permit};
use tokio::time::Instant;

use crate::errors::{Failure, UpstreamFailure};
use crate::state::AppState;
use crate::upstream::{Call, EventStream};

/// A stream whose first token is there. Its permit is held until it is dropped.
pub(crate) struct Opened {
    pub(crate) events: EventStream,
    pub(crate) permit: Permit,
}

/// Opens a stream: returns with its first token in hand, or with a failure that can still be a status.
pub(crate) async fn open_stream(state: &AppState, call: &Call) -> Result<Opened, Failure> {
    // The end of an orderly stop ends everything, also a wait.
    until_cut(state, async {
        // The SLA is one point in time that is handed down: limits that each begin anew add up.
        let deadline = Deadline::after(state.limits.sla);
        deadline
            .bound(async {
                // The queue timeout is in here and ends here: the call is not under it.
                let permit = admit(state).await?;
                // From here on the vendor is asked, with the permit held.
                let first_token = deadline.at_most(state.limits.call_timeout).at_most(state.limits.first_token_timeout);
                let events = first_token.bound(state.upstream.stream(call)).await;
                let events = events.map_err(|_| late(deadline, UpstreamFailure::FirstTokenTimeout))??;
                // No status has been sent yet. The permit goes with the stream, to its very end.
                Ok(Opened { events, permit })
            })
            .await?
    })
    .await
}

/// Makes a whole call.
pub(crate) async fn call_whole(state: &AppState, call: &Call) -> Result<Bytes, Failure> {
    until_cut(state, async {
        let deadline = Deadline::after(state.limits.sla);
        deadline
            .bound(async {
                let _permit = admit(state).await?;
                let answer = deadline.at_most(state.limits.call_timeout).bound(state.upstream.whole(call)).await;
                answer.map_err(|_| late(deadline, UpstreamFailure::CallTimeout))?
            })
            .await?
    })
    .await
}

async fn admit(state: &AppState) -> Result<Permit, Failure> {
    let asked = Instant::now();
    let admitted = state.admission.admit().await;
    state.metrics.waited_for_permit(asked.elapsed());
    Ok(admitted?)
}

/// A step that ran into the end of the whole request did not run into its own.
fn late(deadline: Deadline, own: UpstreamFailure) -> Failure {
    if deadline.remaining().is_zero() { resilience::DeadlinePassed.into() } else { own.into() }
}

async fn until_cut<T>(state: &AppState, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    state.cut.run_until_cancelled(work).await.unwrap_or(Err(Failure::ShuttingDown))
}
