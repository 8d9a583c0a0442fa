//! THE ORDER of a request's path, outermost first. Each step has a reason to be where it is.
//!
//! Swapping two of them changes numbers. With `--queue-timeout 5s --call-timeout 30s`:
//!
//! - the queue timeout around the wait alone: a call that waits 4 s and takes 20 s is answered;
//! - the queue timeout around wait *and* call: the same call times out 1 s after its start, the vendor
//!   has begun it, and the call timeout of 30 s can never be reached.
//!
//! With `--max-in-flight 10`, and calls of 1 s that fail once and succeed 1 s later:
//!
//! - retries around the permit: each request holds it for 2 s, and 5 requests a second are served;
//! - the permit around retries: each request holds it for 3 s, the sleep included, and 3.3 are.
//!
//! With `--max-in-flight 4`, a model that is over its rate of 10 calls a second, and 20 calls a second of another one:
//!
//! - the permit and the rate at once: all calls of the other model are answered;
//! - the permit, and then the rate: waiting calls hold all permits, and one in five of the others is answered;
//! - the rate, and then the permit: all are, but when permits are short, most of the rate goes to calls never made.

mod active_call;
mod breaker;
mod retry;

use std::sync::Arc;
use std::time::Duration;

use gateway::UserPermit;
use resilience::Deadline;
use tokio::time::Instant;

use crate::body::Format;
use crate::call::Call;
use crate::errors::{Failure, UpstreamFailure};
use crate::sessions::KeyId;
use crate::state::AppState;
use crate::upstream::{Answer, Streamed};
use active_call::ActiveCall;

/// What a request holds until its end: for a stream, until the end of the stream.
pub(crate) struct InFlight {
    pub(crate) call: ActiveCall,
    _user_permit: Option<Arc<UserPermit<KeyId>>>,
}

/// A stream whose first token has arrived, with everything that it holds until it is dropped.
pub(crate) struct Opened {
    pub(crate) stream: Box<Streamed>,
    pub(crate) in_flight: InFlight,
}

/// Opens a stream: returns with its first token, or with a failure that can still become a status.
///
/// The SLA of a stream ends with its first token. From there on the limits of its body apply: on silence, on its
/// total time, and on a client that does not read.
pub(crate) async fn open_stream(state: &AppState, call: &Call, format: Format) -> Result<Opened, Failure> {
    let limit = (state.limits.upstream.first_token_timeout, UpstreamFailure::FirstTokenTimeout);
    let (stream, in_flight) = in_order(state, call, limit, || state.upstream.stream(call, format)).await?;
    // No status has been sent yet. The permit goes with the stream, to its very end.
    Ok(Opened { stream, in_flight })
}

/// Makes a call that is answered as a whole.
pub(crate) async fn call_whole(state: &AppState, call: &Call) -> Result<Answer, Failure> {
    let limit = (state.limits.call.call_timeout, UpstreamFailure::CallTimeout);
    let (answer, mut in_flight) = in_order(state, call, limit, || state.upstream.whole(call)).await?;
    answer.usage.iter().for_each(|usage| in_flight.call.usage(*usage));
    Ok(answer)
}

// ANCHOR: nested-permits
/// Makes a call, and a second one for a summary of its answer, both by the deadline of the first.
pub(crate) async fn call_summary(state: &AppState, call: &Call) -> Result<Answer, Failure> {
    // FIX nested-permits: one call after the other. The first has given its permit back before the second waits for one.
    let answer = call_whole(state, call).await?;
    call_whole(state, &call.for_summary(&answer.body, state.tokens_max)?).await
}
// ANCHOR_END: nested-permits

async fn in_order<T, Answered: Future<Output = Result<T, Failure>>>(
    state: &AppState,
    call: &Call,
    limit: (Duration, UpstreamFailure),
    ask_vendor: impl Fn() -> Answered,
) -> Result<(T, InFlight), Failure> {
    // 1. Shutdown. The end of the grace ends everything, waiting included.
    until_grace_over(state, async {
        // 2. User limits. They were checked before the body was read (`request.rs`), so that a user over them
        //    takes no memory, and here no permit that all users share.
        let user_permit = call.user_permit.clone();
        // ANCHOR: no-deadline
        // 3. SLA.
        // FIX no-deadline: one point in time, set when the request was read, and handed down: limits that each start anew
        // would add up. No attempt is made for which it leaves no time, and none goes on beyond it.
        let deadline = call.deadline;
        // ANCHOR: sleep-with-permit
        // 4. Retries. They are around all that costs something: between two attempts only the user's permit is
        //    held, and each attempt queues and pays the vendor's quota like any other call.
        // FIX sleep-with-permit: an attempt takes its permit itself, and has given it back before the wait for the next.
        //    (Boxed: each of the layers around it would reserve its memory once more.)
        let attempt = || Box::pin(attempt(state, call, deadline, &limit, &ask_vendor));
        let (answer, call) = deadline.timeout(retry::attempts(state, call, deadline, attempt)).await??;
        // ANCHOR_END: sleep-with-permit
        // ANCHOR_END: no-deadline
        Ok((answer, InFlight { call, _user_permit: user_permit }))
    })
    .await
}

/// One attempt, from the breaker to the answer.
async fn attempt<T, Answered: Future<Output = Result<T, Failure>>>(
    state: &AppState,
    call: &Call,
    deadline: Deadline,
    (limit, too_slow): &(Duration, UpstreamFailure),
    ask_vendor: &impl Fn() -> Answered,
) -> Result<(T, ActiveCall), Failure> {
    call.progress.count_attempt();
    // 5. Breaker. A call that the vendor must not get takes no place in the queue.
    let breaker = state.breaker.as_ref().map(|breaker| breaker.try_enter()).transpose()?;
    // ANCHOR: timeouts
    // 6. Permit.
    // FIX queue-timeout-covers-call: the queue timeout starts and ends here: it does not cover the call.
    let active = admit(state, call).await?;
    // 7. Session. It is stored only now: if rejected requests left a row, a thousand of them a second would
    //    fill the database.
    if let Some(session) = &call.session {
        session.begin().await?;
    }
    // 8. Call. It is made with the permit held. Without a permit, or after giving it back, the vendor would get
    //    more calls at once than the limit allows.
    call.progress.mark_sent();
    // FIX no-client-timeout: every call has a limit, and so has every wait for a first token. What the stream does after
    // it is limited in upstream/timeouts.rs.
    let answered = deadline.at_most(*limit).timeout(ask_vendor()).await;
    // 9. Timeout. Which limit ended the call decides who is at fault: the SLA is ours, the other the vendor's.
    let late = || if deadline.remaining().is_zero() { sla() } else { too_slow.clone().into() };
    let answered = answered.unwrap_or_else(|_| Err(late()));
    // ANCHOR_END: timeouts
    breaker::report_to_breaker(breaker, &answered);
    Ok((answered?, active))
}

// ANCHOR: limiter-inside-permit
// FIX limiter-inside-permit: the rates and the permit are taken at the same instant, or nothing is. So no permit waits for
// a rate, and a call that gets no permit has spent none. While a call waits for the rate of its model, those of other
// models are admitted before it.
// ANCHOR: rapid-sequence
/// Waits for a permit and for the rates, jointly, no longer than the queue timeout.
async fn admit(state: &AppState, call: &Call) -> Result<ActiveCall, Failure> {
    let asked = Instant::now();
    // FIX rapid-sequence: the call waits for the tokens that it may cost, its prompt and its `max_tokens`, as far as
    // --token-limit allows. So the vendor has no reason for a 429; if it sends one all the same, it is tried again.
    let admitted = state.admission.admit_class(call.model.as_deref(), call.tokens).await;
    call.progress.add_queued(asked.elapsed());
    state.metrics.llm.waited(asked.elapsed(), admitted.as_ref().ok().map(|admitted| admitted.queue_wait()));
    let permit = admitted?;
    state.metrics.llm.rate_taken();
    Ok(ActiveCall::new(state.metrics.llm.clone(), permit, call))
}
// ANCHOR_END: rapid-sequence
// ANCHOR_END: limiter-inside-permit

/// Waits for `work`, but not beyond the shutdown grace.
///
/// # Errors
/// Those of the work, and [`Failure::ShuttingDown`].
pub(crate) async fn until_grace_over<T>(
    state: &AppState,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    state.grace_over.run_until_cancelled(work).await.unwrap_or(Err(Failure::ShuttingDown))
}

fn sla() -> Failure {
    resilience::DeadlinePassed.into()
}
