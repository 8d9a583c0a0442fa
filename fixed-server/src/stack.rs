//! THE ORDER of a request's path, outermost first. Each step has a reason to stand where it stands.
//!
//! Swapping two of them changes numbers. With `--queue-timeout 5s --call-timeout 30s`:
//!
//! - the queue timeout around the wait alone: a call that waits 4 s and takes 20 s is answered;
//! - the queue timeout around wait *and* call: the same call is cut 1 s after its start, the vendor
//!   has begun it, and the call timeout of 30 s can never be reached.
//!
//! And with `--max-in-flight 10`, calls of 1 s that fail once and then succeed, and 1 s between them:
//!
//! - the retry around the permit: it is held for 2 s a request, and 5 requests a second are served;
//! - the permit around the retry: it is held for the sleep too, 3 s, and 3.3 are.

mod active_call;
mod breaker;
mod retry;

use std::sync::Arc;
use std::time::Duration;

use resilience::{Deadline, UserGuard};
use tokio::time::Instant;

use crate::body::Format;
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::identity::User;
use crate::state::AppState;
use crate::upstream::{Answer, Batch, EventStream, Streamed};
use active_call::ActiveCall;

/// What a request holds to its end: of a stream, to the end of the stream.
pub(crate) struct Held {
    pub(crate) call: ActiveCall,
    _turn: Option<Arc<UserGuard<User>>>,
}

/// A stream whose first token is there, with all that it holds until it is dropped.
pub(crate) struct Opened {
    pub(crate) events: EventStream,
    /// The first token, and what came before it.
    pub(crate) head: Batch,
    /// What the vendor says of its quota, as headers.
    pub(crate) rate_limits: Vec<(String, String)>,
    pub(crate) held: Held,
}

/// Opens a stream: returns with its first token in hand, or with a failure that can still be a status.
///
/// The SLA of a stream ends with its first token. From there on the limits of its body take over: on
/// silence, on its whole length, and on a client that does not read.
pub(crate) async fn open_stream(state: &AppState, call: &Call, format: Format) -> Result<Opened, Failure> {
    let limit = (state.limits.upstream.first_token_timeout, UpstreamFailure::FirstTokenTimeout);
    let (stream, held) = in_order(state, call, limit, || state.upstream.stream(call, format)).await?;
    let Streamed { events, head, rate_limits } = stream;
    // No status has been sent yet. The permit goes with the stream, to its very end.
    Ok(Opened { events, head, rate_limits, held })
}

/// Makes a whole call.
pub(crate) async fn call_whole(state: &AppState, call: &Call) -> Result<Answer, Failure> {
    let limit = (state.limits.call.call_timeout, UpstreamFailure::CallTimeout);
    let (answer, mut held) = in_order(state, call, limit, || state.upstream.whole(call)).await?;
    answer.usage.iter().for_each(|usage| held.call.usage(*usage));
    Ok(answer)
}

async fn in_order<T, Asked: Future<Output = Result<T, Failure>>>(
    state: &AppState,
    call: &Call,
    (limit, too_slow): (Duration, UpstreamFailure),
    ask_vendor: impl Fn() -> Asked,
) -> Result<(T, Held), Failure> {
    // 1. The end of an orderly stop ends everything, also a wait.
    until_cut(state, async {
        // 2. The user has a turn, taken before the body was read (`request.rs`): who is over a limit of their
        //    own takes no place that all share, and no memory.
        let turn = call.turn.clone();
        // 3. The SLA is one point in time that is handed down: limits that each begin anew add up.
        let deadline = Deadline::after(state.limits.call.sla);
        let attempt = || async {
            // 5. Who may not call the vendor at all takes no place in the queue.
            let verdict = state.breaker.as_ref().map(|breaker| breaker.try_enter()).transpose()?;
            // 6. The queue timeout is in here and ends here: the call is not under it.
            let active = admit(state, call).await?;
            // 7. Its session is written down only now: what was refused must leave nothing behind, or whoever
            //    is refused a thousand times a second fills the database.
            if let Some(session) = &call.session {
                session.begin().await?;
            }
            // 8. The vendor is asked with the permit held. Asked without it, or after it was given back,
            //    it would get more at once than the limit allows.
            call.progress.reaches_the_vendor();
            let answered = deadline.at_most(limit).timeout(ask_vendor()).await;
            // 9. Whose limit it was that ended the call decides whose fault it is.
            let late = || if deadline.remaining().is_zero() { sla() } else { too_slow.clone().into() };
            let answered = answered.unwrap_or_else(|_| Err(late()));
            breaker::report_to_breaker(verdict, &answered);
            Ok((answered?, active))
        };
        // 4. Around all that costs something: between two attempts nothing is held but the user's turn,
        //    and each attempt queues, and pays the vendor's quota, as any other call.
        let (answer, call) = deadline.timeout(retry::attempts(state, call, deadline, attempt)).await??;
        Ok((answer, Held { call, _turn: turn }))
    })
    .await
}

/// Waits for a turn: permit and rates, jointly, under the queue timeout.
async fn admit(state: &AppState, call: &Call) -> Result<ActiveCall, Failure> {
    let asked = Instant::now();
    let admitted = state.admission.admit(call.tokens).await;
    call.progress.queued(asked.elapsed());
    state.metrics.waited(asked.elapsed(), admitted.as_ref().ok().map(|admitted| admitted.queue_wait()));
    Ok(ActiveCall::new(state.metrics.clone(), admitted?, call))
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
