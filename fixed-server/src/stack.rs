//! THE ORDER of a request's path, outermost first. Each step has a reason to stand where it stands.
//!
//! Swapping two of them changes numbers. With `--queue-timeout 5s --call-timeout 30s`:
//!
//! - the queue timeout around the wait alone: a call that waits 4 s and takes 20 s is answered;
//! - the queue timeout around wait *and* call: the same call is cut 1 s after its start, the vendor
//!   has begun it, and the call timeout of 30 s can never be reached.

use std::time::Duration;

use bytes::Bytes;
use resilience::Deadline;
use tokio::time::Instant;

use crate::errors::{Failure, UpstreamFailure};
use crate::state::AppState;
use crate::telemetry::ActiveCall;
use crate::upstream::{Batch, Call, EventStream};

/// A stream whose first token is there, with all that it holds until it is dropped.
pub(crate) struct Opened {
    pub(crate) events: EventStream,
    /// The first token, and what came before it.
    pub(crate) head: Vec<Batch>,
    pub(crate) call: ActiveCall,
}

/// Opens a stream: returns with its first token in hand, or with a failure that can still be a status.
///
/// The SLA of a stream ends with its first token. From there on it may be as long as it likes, and
/// the limits of its body take over: on silence, and on a client that does not read.
pub(crate) async fn open_stream(state: &AppState, call: &Call) -> Result<Opened, Failure> {
    let limit = (state.limits.first_token_timeout, UpstreamFailure::FirstTokenTimeout);
    let ((events, head), call) = in_order(state, limit, state.upstream.stream(call)).await?;
    // No status has been sent yet. The permit goes with the stream, to its very end.
    Ok(Opened { events, head, call })
}

/// Makes a whole call.
pub(crate) async fn call_whole(state: &AppState, call: &Call) -> Result<Bytes, Failure> {
    let limit = (state.limits.call_timeout, UpstreamFailure::CallTimeout);
    in_order(state, limit, state.upstream.whole(call)).await.map(|(answer, _call)| answer)
}

async fn in_order<T>(
    state: &AppState,
    (limit, too_slow): (Duration, UpstreamFailure),
    ask_vendor: impl Future<Output = Result<T, Failure>>,
) -> Result<(T, ActiveCall), Failure> {
    // 1. The end of an orderly stop ends everything, also a wait.
    until_cut(state, async {
        // 2. The SLA is one point in time that is handed down: limits that each begin anew add up.
        let deadline = Deadline::after(state.limits.sla);
        deadline
            .bound(async {
                // 3. The queue timeout is in here and ends here: the call is not under it.
                let call = admit(state).await?;
                // 4. The vendor is asked with the permit held. Asked without it, or after it was
                //    given back, it would get more at once than the limit allows.
                let answered = deadline.at_most(limit).bound(ask_vendor).await;
                // 5. Whose limit it was that ended the call decides whose fault it is.
                let late = || if deadline.remaining().is_zero() { sla() } else { too_slow.into() };
                Ok((answered.unwrap_or_else(|_| Err(late()))?, call))
            })
            .await?
    })
    .await
}

/// Waits for a turn: the bounded queue, under the queue timeout, up to the permit.
async fn admit(state: &AppState) -> Result<ActiveCall, Failure> {
    let asked = Instant::now();
    let admitted = state.admission.admit().await;
    state.metrics.waited_for_permit(asked.elapsed());
    Ok(ActiveCall::new(state.metrics.clone(), admitted?))
}

/// Waits for `work`, but not beyond the time for an orderly end.
///
/// # Errors
/// Those of the work, and [`Failure::ShuttingDown`].
pub(crate) async fn until_cut<T>(
    state: &AppState,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    state.cut.run_until_cancelled(work).await.unwrap_or(Err(Failure::ShuttingDown))
}

fn sla() -> Failure {
    resilience::DeadlinePassed.into()
}
