//! Arms that are driven by hand: `loadgen serve` and `loadgen demo --interactive`.
//!
//! A [`Session`] runs broken-server with a mistake and fixed-server, each with a vendor of its own, as the demo does. It
//! holds as many streams on both as somebody asks for at any time, probes both throughout, and shows what it sees as
//! [`Frame`]s, four times a second. Nothing that an arm does ends the session: a program that does not start, or has
//! ended, is part of its [`SessionState`].

mod arm;
mod catalogue;
mod check;
mod error;
mod found;
mod inner;
mod keeper;
mod limit;
mod options;
mod programs;
mod shared;
mod singles;
mod state;
mod streams;

use std::sync::Arc;
use std::time::Instant;

use program::suggestion::did_you_mean;
use tokio::sync::{broadcast, watch};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use crate::live::Frame;
use crate::measure::SAMPLE_INTERVAL;
use inner::Inner;
use shared::Shared;

pub use arm::SessionArm;
pub use catalogue::{Mistake, listed};
pub use error::SessionError;
pub use found::Found;
pub use limit::{STREAMS_MAX, StreamsLimit};
pub use options::SessionOptions;
pub use singles::SINGLES;
pub use state::{ArmState, CheckState, SessionEvent, SessionState, SingleState, SingleStream, SinglesState};

/// Arms that are driven by hand. Its methods return at once; what becomes of what they ask for is told by events.
/// Dropped, it closes all streams and kills all programs.
pub struct Session {
    shared: Arc<Shared>,
    mistakes: Vec<Mistake>,
    limit: StreamsLimit,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

/// A session as somebody finds it who begins to listen to it, and all that is new in it from then on.
#[derive(Debug)]
pub struct Listening {
    /// Its state.
    pub state: SessionState,
    /// The frame, with all rows that are kept.
    pub frame: Frame,
    /// The single streams.
    pub singles: [SingleStream; SINGLES],
    /// The events. Whoever is too slow for them gets [`Lagged`](broadcast::error::RecvError::Lagged), and should listen
    /// anew: nothing waits for him.
    pub events: broadcast::Receiver<SessionEvent>,
}

impl Session {
    /// A session in which nothing runs yet. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`SessionError`] if broken-server cannot be run.
    pub async fn open(options: SessionOptions) -> Result<Self, SessionError> {
        let mistakes = catalogue::catalogue(&options.program_dir).await?;
        let limit = StreamsLimit::of_this_machine();
        let (wanted, wants): (Vec<_>, Vec<_>) = SessionArm::ALL.iter().map(|_| watch::channel(None)).unzip();
        let shared = Arc::new(Shared::new(options, Instant::now(), Inner::new(wanted)));
        let keep = |(arm, wants)| AbortOnDropHandle::new(tokio::spawn(keeper::keep(shared.clone(), arm, wants)));
        let mut tasks: Vec<_> = SessionArm::ALL.into_iter().zip(wants).map(keep).collect();
        tasks.push(AbortOnDropHandle::new(tokio::spawn(tick(shared.clone()))));
        Ok(Session { shared, mistakes, limit, _tasks: tasks })
    }

    /// All mistakes that broken-server can run with, in its order; the first is its control, `none`.
    #[must_use]
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// How many streams each arm can hold, and why not more.
    #[must_use]
    pub fn streams_limit(&self) -> &StreamsLimit {
        &self.limit
    }

    /// What it is doing.
    #[must_use]
    pub fn state(&self) -> SessionState {
        self.shared.inner().state.clone()
    }

    /// What it is doing, and all that is new from now on.
    #[must_use]
    pub fn listen(&self) -> Listening {
        let inner = self.shared.inner();
        Listening {
            state: inner.state.clone(),
            frame: inner.frames.frame().clone(),
            singles: inner.singles.clone(),
            events: self.shared.listen(),
        }
    }

    /// What was found of each server so far that had streams: by arm, in the order of their starts.
    #[must_use]
    pub fn found(&self) -> Vec<Found> {
        let inner = self.shared.inner();
        let mut found: Vec<_> = inner.found.iter().filter(|found| found.streams_max > 0).cloned().collect();
        found.sort_by_key(|found| found.arm);
        found
    }

    /// Hands the current frame to `show`, with all rows that are kept. It is brought up to date four times a second, and
    /// not while `show` has it.
    pub fn with_frame<R>(&self, show: impl FnOnce(&Frame) -> R) -> R {
        show(self.shared.inner().frames.frame())
    }

    /// Starts both arms, the broken one with this mistake. An arm that runs as it should goes on.
    ///
    /// # Errors
    /// [`SessionError::UnknownMistake`].
    pub fn start(&self, mistake: &str) -> Result<(), SessionError> {
        self.set_mistake(mistake)?;
        SessionArm::ALL.into_iter().for_each(|arm| self.start_arm(arm));
        Ok(())
    }

    /// Stops both arms, and forgets how many streams they held.
    pub fn stop(&self) {
        self.ask(|inner| {
            inner.hold(0);
            inner.end_singles();
            inner.slots.iter().for_each(|slot| _ = slot.wanted.send_replace(None));
        });
    }

    /// Starts one arm, if it does not run. It opens as many streams as the other one holds.
    pub fn start_arm(&self, arm: SessionArm) {
        self.ask(|inner| {
            let state = inner.state.arms.get(&arm);
            if !state.is_some_and(|state| state.running || state.starting) {
                inner.want(arm);
            }
        });
    }

    /// Stops one arm.
    pub fn stop_arm(&self, arm: SessionArm) {
        self.ask(|inner| _ = inner.slot(arm).wanted.send_replace(None));
    }

    /// Chooses the mistake. A broken-server that runs with another one is started again with it; its streams are opened
    /// again.
    ///
    /// # Errors
    /// [`SessionError::UnknownMistake`].
    pub fn set_mistake(&self, name: &str) -> Result<(), SessionError> {
        self.check_mistake(name)?;
        self.ask(|inner| {
            let is_another = inner.state.mistake != name;
            name.clone_into(&mut inner.state.mistake);
            if is_another && inner.slot(SessionArm::Broken).wanted.borrow().is_some() {
                inner.want(SessionArm::Broken);
            }
        });
        Ok(())
    }

    /// Holds this many streams on each arm: opens more, or closes those that were opened last, as clients that disconnect.
    /// A stream that ends is replaced.
    ///
    /// # Errors
    /// [`SessionError::TooManyStreams`].
    pub fn set_streams(&self, count: u32) -> Result<(), SessionError> {
        self.limit.check(count)?;
        self.ask(|inner| inner.hold(count));
        Ok(())
    }

    /// Opens the single streams on `arm`, now or when it runs, or closes them.
    pub fn set_singles(&self, arm: SessionArm, on: bool) {
        self.ask(|inner| {
            if !on || inner.state.singles.arm != arm {
                inner.end_singles();
            }
            inner.state.singles = SinglesState { arm, on };
            self.shared.begin_singles(inner);
        });
    }

    /// Checks the health of `arm` once, with a check that needs a thread of the pool. Returns its number, with which the
    /// outcome is published, within ten seconds.
    ///
    /// # Errors
    /// [`SessionError::NotRunning`], [`SessionError::TooManyChecks`].
    pub fn check(&self, arm: SessionArm) -> Result<u64, SessionError> {
        self.ask(|inner| {
            let server = inner.running(arm).ok_or(SessionError::NotRunning(arm))?.endpoint.clone();
            let waiting = inner.slot(arm).checks_waiting;
            if waiting >= check::CHECKS_MAX {
                return Err(SessionError::TooManyChecks { arm, waiting });
            }
            let id = self.shared.check_begun(inner, arm);
            tokio::spawn(check::check(self.shared.clone(), arm, id, server));
            Ok(id)
        })
    }

    /// Somebody asks for something.
    fn ask<R>(&self, change: impl FnOnce(&mut Inner) -> R) -> R {
        let mut inner = self.shared.inner();
        inner.asked_at = Instant::now();
        self.shared.change(&mut inner, |inner| {
            inner.state.notice = None;
            change(inner)
        })
    }

    /// Whether there is a mistake of this name.
    ///
    /// # Errors
    /// [`SessionError::UnknownMistake`] with the name that was probably meant.
    pub fn check_mistake(&self, name: &str) -> Result<(), SessionError> {
        let names = || self.mistakes.iter().map(|mistake| mistake.name.as_str());
        if names().any(|known| known == name) {
            return Ok(());
        }
        let meant = did_you_mean(name, names()).unwrap_or_else(|| ".".to_owned());
        Err(SessionError::UnknownMistake {
            name: name.to_owned(),
            meant,
            known: names().collect::<Vec<_>>().join(", "),
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.close();
    }
}

/// Brings the frame up to date, as often as there are samples.
async fn tick(shared: Arc<Shared>) {
    let mut due = interval(SAMPLE_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        shared.tick();
    }
}
