//! The lives of a program under supervision, one after another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::back_off::BackOff;
use super::program::Program;
use super::restart::{Cause, Restart, SupervisorError};
use super::rules::Rules;
use super::slot::Slot;
use crate::error::StartError;

/// Starts a program: on the address where it ran before, or anywhere if it has not run yet.
pub(super) trait Spawn<P>: Fn(Option<SocketAddr>) -> Result<P, StartError> + Send + 'static {}

impl<P, F: Fn(Option<SocketAddr>) -> Result<P, StartError> + Send + 'static> Spawn<P> for F {}

/// What is needed to start the program again and again.
pub(super) struct Lives<P, S, A> {
    slot: Arc<Slot<P>>,
    rules: Rules,
    start_timeout: Duration,
    spawn: S,
    probe: A,
    back_off: BackOff,
    /// Ends in a row without a successful probe in between.
    ends: u32,
}

/// A program that listens.
pub(super) struct Life<P> {
    pub(super) program: Arc<P>,
    pub(super) addr: SocketAddr,
    began: Instant,
}

/// Why a life ended, and when that was clear.
struct End {
    at: Instant,
    cause: Cause,
    detail: String,
}

impl End {
    fn now(cause: Cause, detail: String) -> Self {
        End { at: Instant::now(), cause, detail }
    }
}

impl<P, S, A, Answer> Lives<P, S, A>
where
    P: Program,
    S: Spawn<P>,
    A: Fn(SocketAddr) -> Answer + Send + 'static,
    Answer: Future<Output = Result<(), String>> + Send,
{
    pub(super) fn new(slot: Arc<Slot<P>>, rules: Rules, start_timeout: Duration, spawn: S, probe: A) -> Self {
        let back_off = BackOff::new(rules.back_off.clone());
        Lives { slot, rules, start_timeout, spawn, probe, back_off, ends: 0 }
    }

    /// Starts the program until it listens: for the first time, or `on` the address where it ran before.
    pub(super) async fn begin(&mut self, on: Option<SocketAddr>) -> Result<Life<P>, SupervisorError> {
        loop {
            let began = Instant::now();
            let Some(started) = self.slot.spawn(|| (self.spawn)(on)) else {
                // The supervisor is gone, and this task will be in a moment.
                return std::future::pending().await;
            };
            let program = started?;
            match program.ready(self.start_timeout).await {
                Ok(addr) => return Ok(Life { program, addr, began }),
                Err(error) => {
                    program.kill();
                    self.restart(End::now(Cause::Ended, error.to_string()), began).await?;
                }
            }
        }
    }

    /// Restarts the program whenever it ends or fails its probes, until it ends too often.
    pub(super) async fn go_on(mut self, mut life: Life<P>) {
        loop {
            let end = self.live(&life).await;
            let restarted = async {
                self.restart(end, life.began).await?;
                self.begin(Some(life.addr)).await
            };
            life = match restarted.await {
                Ok(life) => life,
                Err(error) => return self.slot.give_up(error.to_string()),
            };
        }
    }

    /// Probes the program until it has ended, by itself or because it failed its probes.
    async fn live(&mut self, life: &Life<P>) -> End {
        let program = life.program.clone();
        let failure = tokio::select! {
            detail = program.end() => return End::now(Cause::Ended, detail),
            failure = self.fail_probes(life.addr) => End::now(Cause::Liveness, failure),
        };
        let status = program.stop(self.rules.grace).await;
        End { detail: format!("{}; stopped: {status}", failure.detail), ..failure }
    }

    /// Probes until as many probes in a row have failed as the threshold says, and returns the last failure.
    async fn fail_probes(&mut self, addr: SocketAddr) -> String {
        sleep(self.rules.initial_delay).await;
        let mut due = interval(self.rules.period);
        due.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut failed = 0;
        loop {
            due.tick().await;
            let failure = match timeout(self.rules.timeout, (self.probe)(addr)).await {
                Ok(Ok(())) => {
                    (failed, self.ends) = (0, 0);
                    continue;
                }
                Ok(Err(why)) => why,
                Err(_) => format!("no answer within {:?}", self.rules.timeout),
            };
            failed += 1;
            if failed >= self.rules.failure_threshold {
                return failure;
            }
        }
    }

    /// Notes the end of a program that `began` then, and waits as long as its restart must.
    async fn restart(&mut self, end: End, began: Instant) -> Result<(), SupervisorError> {
        let End { at, cause, detail } = end;
        self.ends += 1;
        if cause == Cause::Ended && self.ends >= self.rules.ends_max {
            return Err(SupervisorError::GaveUp { ends: self.ends, detail });
        }
        let back_off = self.back_off.after(began.elapsed());
        self.slot.restarts_because(Restart { at: at.into_std(), cause, detail, back_off });
        sleep(back_off).await;
        Ok(())
    }
}
