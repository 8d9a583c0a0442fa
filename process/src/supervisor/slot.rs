//! The program that a supervisor runs now, shared by its task and those who ask.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::program::Program;
use super::restart::Restart;
use crate::error::StartError;

/// The program that runs now, and what has happened. Once closed, no program runs any more, and none is started.
pub(super) struct Slot<P>(Mutex<Contents<P>>);

struct Contents<P> {
    closed: bool,
    program: Option<Arc<P>>,
    restarts: Vec<Restart>,
    gave_up: Option<String>,
}

impl<P: Program> Slot<P> {
    pub(super) fn new() -> Self {
        Slot(Mutex::new(Contents { closed: false, program: None, restarts: Vec::new(), gave_up: None }))
    }

    /// Runs a program in the place of the last one; none if the slot is closed.
    ///
    /// The lock is held meanwhile: whoever closes the slot either comes before and none is started, or finds it here.
    pub(super) fn spawn(&self, spawn: impl FnOnce() -> Result<P, StartError>) -> Option<Result<Arc<P>, StartError>> {
        let mut contents = self.lock();
        if contents.closed {
            return None;
        }
        Some(spawn().map(|program| {
            let program = Arc::new(program);
            contents.program = Some(program.clone());
            program
        }))
    }

    /// The program that runs, unless it has ended and its successor is not started yet.
    pub(super) fn program(&self) -> Option<Arc<P>> {
        self.lock().program.clone()
    }

    /// Notes that the program has ended, and that another will be started.
    pub(super) fn restarts_because(&self, restart: Restart) {
        let mut contents = self.lock();
        contents.program = None;
        contents.restarts.push(restart);
    }

    /// Notes that the program has ended, and that no other will be started.
    pub(super) fn give_up(&self, why: String) {
        let mut contents = self.lock();
        contents.program = None;
        contents.gave_up = Some(why);
    }

    pub(super) fn restarts(&self) -> Vec<Restart> {
        self.lock().restarts.clone()
    }

    pub(super) fn gave_up(&self) -> Option<String> {
        self.lock().gave_up.clone()
    }

    fn close(&self) {
        let program = {
            let mut contents = self.lock();
            contents.closed = true;
            contents.program.take()
        };
        if let Some(program) = program {
            program.kill();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Contents<P>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the slot when it is dropped: the program is gone then, also when it was being started or stopped.
pub(super) struct ClosesSlot<P: Program>(pub(super) Arc<Slot<P>>);

impl<P: Program> Drop for ClosesSlot<P> {
    fn drop(&mut self) {
        self.0.close();
    }
}
