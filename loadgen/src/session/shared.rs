//! What all parts of a session share: its state, its arms, and whoever listens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::found::Found;
use super::inner::Inner;
use super::programs::Programs;
use super::singles::{Publish, SingleNews, Singles};
use super::state::{ArmState, CheckState, SessionEvent, SingleState};
use super::{SessionArm, SessionOptions};
use crate::live::ArmNow;

/// Events that a listener may be behind: some 20 seconds.
const EVENTS_KEPT: usize = 1_024;

/// Servers whose findings are kept.
const FOUND_KEPT: usize = 40;

/// What all parts of a session share.
pub(super) struct Shared {
    pub(super) options: SessionOptions,
    /// The start of the session, since which all times are.
    pub(super) origin: Instant,
    inner: Mutex<Inner>,
    events: broadcast::Sender<SessionEvent>,
}

impl Shared {
    pub(super) fn new(options: SessionOptions, origin: Instant, inner: Inner) -> Self {
        Shared { options, origin, inner: Mutex::new(inner), events: broadcast::Sender::new(EVENTS_KEPT) }
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All events from now on. Called with `inner` held, none is missed and none is seen twice.
    pub(super) fn listen(&self) -> broadcast::Receiver<SessionEvent> {
        self.events.subscribe()
    }

    fn publish(&self, event: SessionEvent) {
        // An error says that nobody listens.
        let _ = self.events.send(event);
    }

    /// Changes the state, and publishes it if it is another one.
    pub(super) fn change<R>(&self, inner: &mut Inner, change: impl FnOnce(&mut Inner) -> R) -> R {
        let before = inner.state.clone();
        let result = change(inner);
        let state = &mut inner.state;
        state.running = state.arms.values().any(|arm| arm.running);
        state.starting = state.arms.values().any(|arm| arm.starting);
        if inner.state != before {
            self.publish(SessionEvent::State(inner.state.clone()));
        }
        result
    }

    /// Stops the programs of `arm`, and notes that others are being started.
    pub(super) fn starts(&self, arm: SessionArm) {
        self.stop(arm, ArmState { starting: true, ..ArmState::default() });
    }

    /// Stops the programs of `arm`. With an `error`, they have failed.
    pub(super) fn stopped(&self, arm: SessionArm, error: Option<String>) {
        self.stop(arm, ArmState { error, ..ArmState::default() });
    }

    fn stop(&self, arm: SessionArm, state: ArmState) {
        let mut inner = self.inner();
        let programs = inner.slot(arm).programs.take();
        if programs.as_ref().is_some_and(|programs| programs.singles.is_some()) {
            inner.singles = Default::default();
        }
        self.change(&mut inner, |inner| inner.state.arms.insert(arm, state));
        drop(inner);
        // Killing them takes a moment.
        drop(programs);
    }

    /// Stops all programs for good.
    pub(super) fn close(&self) {
        let mut inner = self.inner();
        inner.is_closed = true;
        let programs = inner.slots.iter_mut().map(|slot| slot.programs.take()).collect::<Vec<_>>();
        drop(inner);
        drop(programs);
    }

    /// Shows `programs` as those of `arm`.
    pub(super) fn started(self: &Arc<Self>, arm: SessionArm, mistake: &str, programs: Programs) {
        let inner = &mut *self.inner();
        if inner.is_closed {
            return;
        }
        let mistake = (arm == SessionArm::Broken).then(|| mistake.to_owned());
        inner.frames.restart(arm.index(), mistake.clone(), programs.began);
        inner.found.drain(..inner.found.len().saturating_sub(FOUND_KEPT));
        inner.found.push(Found::begin(arm, mistake));
        // It may have changed since the start began.
        programs.streams.hold(inner.state.streams);
        let running = ArmState {
            starting: false,
            running: true,
            url: Some(programs.endpoint.to_string()),
            vendor: Some(programs.vendor_url()),
            program: Some(programs.command_line().to_owned()),
            error: None,
        };
        inner.slot(arm).measured = Some(programs.measured.clone());
        inner.slot(arm).programs = Some(programs);
        self.begin_singles(inner);
        self.change(inner, |inner| inner.state.arms.insert(arm, running));
    }

    /// How a program of `arm` has ended, if one has.
    pub(super) fn ended(&self, arm: SessionArm) -> Option<String> {
        self.inner().running(arm)?.ended()
    }

    /// Opens the single streams if they are wanted and their arm runs.
    pub(super) fn begin_singles(self: &Arc<Self>, inner: &mut Inner) {
        let wanted = inner.state.singles;
        let programs = inner.slot(wanted.arm).programs.as_mut();
        if let Some(programs) = programs.filter(|programs| wanted.on && programs.singles.is_none()) {
            let shared = self.clone();
            let publish: Publish = Arc::new(move |stream, news| shared.single(stream, news));
            programs.singles = Some(Singles::start(&programs.endpoint, &programs.measured.log, &publish));
        }
    }

    /// Notes and publishes what is new of a single stream.
    fn single(&self, stream: usize, news: SingleNews<'_>) {
        let mut inner = self.inner();
        if !inner.state.singles.on {
            // It is being closed.
            return;
        }
        let single = &mut inner.singles[stream];
        match news {
            SingleNews::Token(text) => {
                single.text.push_str(text);
                self.publish(SessionEvent::Token { stream, text: text.to_owned() });
            }
            SingleNews::State(state, reason) => {
                if state == SingleState::Waiting {
                    single.text.clear();
                }
                (single.state, single.reason) = (state, reason.clone());
                self.publish(SessionEvent::Stream { stream, state, reason });
            }
        }
    }

    /// A health check by hand has begun: its number.
    pub(super) fn check_begun(&self, inner: &mut Inner, arm: SessionArm) -> u64 {
        inner.checks += 1;
        inner.slot(arm).checks_waiting += 1;
        let id = inner.checks;
        self.publish(SessionEvent::Check { arm, id, state: CheckState::Waiting, ms: 0.0, reason: None });
        id
    }

    /// A health check by hand has ended.
    pub(super) fn check_ended(&self, outcome: SessionEvent, arm: SessionArm) {
        let mut inner = self.inner();
        let waiting = &mut inner.slot(arm).checks_waiting;
        *waiting = waiting.saturating_sub(1);
        self.publish(outcome);
    }

    /// Brings the frame up to date, and publishes what is new in it while an arm runs.
    pub(super) fn tick(&self) {
        let now = self.origin.elapsed();
        let inner = &mut *self.inner();
        inner.frames.update(now, None);
        for arm in SessionArm::ALL {
            let slot = &inner.slots[arm.index()];
            let Some(measured) = &slot.measured else { continue };
            let programs = slot.programs.as_ref();
            let singles = if programs.is_some_and(|programs| programs.singles.is_some()) {
                inner.singles.iter().filter(|single| single.is_open()).count() as u64
            } else {
                0
            };
            let arm_now = ArmNow {
                server: &measured.samples,
                probes: &measured.probes,
                asked: if programs.is_some() { u64::from(inner.state.streams) + singles } else { 0 },
                pool: programs.and_then(Programs::pool),
                vendor: programs.and_then(Programs::vendor_counts),
            };
            inner.frames.update_arm(arm.index(), now, arm_now);
            if let Some(found) = inner.found.iter_mut().rfind(|found| found.arm == arm) {
                found.see(&inner.frames.frame().arms[arm.index()]);
            }
            measured.forget_old(self.origin, now);
        }
        let changes = inner.frames.changes();
        if inner.state.running || changes.arms.iter().any(|arm| !arm.rows.is_empty()) {
            self.publish(SessionEvent::Frame(Arc::new(changes)));
        }
        self.close_if_idle(inner);
    }

    /// Closes the streams if nobody has asked for anything for a long time.
    fn close_if_idle(&self, inner: &mut Inner) {
        let idle = self.options.idle_timeout;
        let state = &inner.state;
        if inner.asked_at.elapsed() < idle || (state.streams == 0 && !state.singles.on) {
            return;
        }
        self.change(inner, |inner| {
            inner.hold(0);
            inner.end_singles();
            inner.state.notice = Some(format!("The streams were closed: nothing was asked for {}.", minutes(idle)));
        });
    }
}

fn minutes(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} minutes", seconds / 60),
    }
}
