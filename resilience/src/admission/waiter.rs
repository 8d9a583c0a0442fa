//! A caller in the queue, which leaves it however its wait ends.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::permit::{AdmissionPermit, QueueWait};
use super::queue::{Decision, Ticket};
use super::shared::Shared;

/// A caller in the queue. Dropping it leaves the queue.
#[derive(Debug)]
pub(super) struct Waiter {
    shared: Arc<Shared>,
    /// `None` once it is admitted, which removes it from the queue.
    ticket: Option<Ticket>,
    wake: Arc<Notify>,
}

impl Waiter {
    pub(super) fn new(shared: Arc<Shared>, ticket: Ticket, wake: Arc<Notify>) -> Self {
        Waiter { shared, ticket: Some(ticket), wake }
    }

    /// Waits to be admitted. A permit that comes back wakes only the first caller, which takes it itself: nothing is
    /// ever handed to a caller that has just gone.
    pub(super) async fn admitted(mut self, tokens: u64, asked: Instant) -> AdmissionPermit {
        loop {
            let now = Instant::now();
            let Some(ticket) = self.ticket else { unreachable!("it is admitted once") };
            let decision = self.shared.lock().try_admit(ticket, tokens, &self.shared.permits, now);
            match decision {
                Decision::Admit { permit, rate_ready } => {
                    self.ticket = None;
                    let waited = QueueWait::between(asked, rate_ready, now);
                    return AdmissionPermit::new(Arc::clone(&self.shared), permit, tokens, waited);
                }
                // Woken earlier, for instance by a refund, it tries again earlier.
                Decision::RetryAt(ready_at) => drop(timeout_at(ready_at, self.wake.notified()).await),
                Decision::WaitUntilWoken => self.wake.notified().await,
            }
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shared.lock().leave(ticket);
        }
    }
}
