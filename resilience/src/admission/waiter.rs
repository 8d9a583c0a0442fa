//! A place in the queue, given back however the wait ends.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::permit::{AdmissionPermit, QueueWait};
use super::queue::{Ticket, Turn};
use super::shared::Shared;

/// A place in the queue, given back when the wait ends, however it ends.
#[derive(Debug)]
pub(super) struct Waiter {
    shared: Arc<Shared>,
    /// None once the turn has come, and the line has been left with it.
    ticket: Option<Ticket>,
    told: Arc<Notify>,
}

impl Waiter {
    pub(super) fn new(shared: Arc<Shared>, ticket: Ticket, told: Arc<Notify>) -> Self {
        Waiter { shared, ticket: Some(ticket), told }
    }

    /// Waits for its turn. Only the first in line looks, so a permit that comes back wakes one caller
    /// and not all of them; and it takes for itself, so that nothing is ever on its way to a caller who
    /// has just left.
    pub(super) async fn turn(mut self, tokens: u64, asked: Instant) -> AdmissionPermit {
        loop {
            let now = Instant::now();
            let Some(ticket) = self.ticket else { unreachable!("its turn comes once") };
            let turn = self.shared.lock().turn(ticket, tokens, &self.shared.permits, now);
            match turn {
                Turn::Now { permit, rate_ready } => {
                    self.ticket = None;
                    let waited = QueueWait::between(asked, rate_ready, now);
                    return AdmissionPermit::new(Arc::clone(&self.shared), permit, tokens, waited);
                }
                // Told before then, as when tokens were refunded, it looks again before then.
                Turn::At(ready_at) => drop(timeout_at(ready_at, self.told.notified()).await),
                Turn::WhenTold => self.told.notified().await,
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
