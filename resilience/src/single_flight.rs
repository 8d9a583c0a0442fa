//! Work that many callers ask for and that is done once.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Work that many callers ask for and that is done once: callers that come while it is in flight wait for the same result.
///
/// It is for results that are the same for all callers and cost something scarce, such as a thread: a health check of a
/// thread pool, run once per caller, can itself fill the pool.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use resilience::SingleFlight;
///
/// let flights = SingleFlight::default();
/// let ask = |answer: i32| flights.join_or_start(move |lead| { tokio::spawn(async move { lead.finish(answer) }); });
/// let (first, second) = tokio::join!(ask(1), ask(2));
/// assert_eq!((first, second), (Ok(1), Ok(1)));
/// assert_eq!(ask(3).await, Ok(3));
/// # }
/// ```
#[derive(Debug)]
pub struct SingleFlight<T> {
    /// A std mutex: it is held while work is started, never across an `.await`.
    under_way: Mutex<Option<watch::Receiver<Option<T>>>>,
}

/// Held by the caller that does the work, to hand over the result.
#[derive(Debug)]
pub struct Leader<T>(watch::Sender<Option<T>>);

/// The work ended without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work ended without a result")]
pub struct Abandoned;

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        SingleFlight { under_way: Mutex::default() }
    }
}

impl<T: Clone> SingleFlight<T> {
    /// Waits for the result of the work in flight, or starts it with `start`. `start` must not wait, and the work must run
    /// on its own, in a task or on a thread: it goes on when all callers have stopped waiting.
    ///
    /// # Errors
    /// [`Abandoned`] if the work was dropped or panicked before it was finished.
    pub async fn join_or_start(&self, start: impl FnOnce(Leader<T>)) -> Result<T, Abandoned> {
        let mut result = self.under_way(start);
        let result = result.wait_for(Option::is_some).await.map_err(|_| Abandoned)?;
        result.clone().ok_or(Abandoned)
    }

    fn under_way(&self, start: impl FnOnce(Leader<T>)) -> watch::Receiver<Option<T>> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(result) = under_way.as_ref().filter(|result| is_open(result)) {
            return result.clone();
        }
        let (sender, result) = watch::channel(None);
        *under_way = Some(result.clone());
        start(Leader(sender));
        result
    }
}

/// Whether a result is still to come: there is none yet, and the leader exists.
fn is_open<T>(result: &watch::Receiver<Option<T>>) -> bool {
    result.borrow().is_none() && result.has_changed().is_ok()
}

impl<T> Leader<T> {
    /// Gives the result to all waiting callers. The next caller starts the work again.
    pub fn finish(self, result: T) {
        self.0.send_replace(Some(result));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    type Leads = RefCell<Vec<Leader<i32>>>;

    /// Joins or starts, and keeps the leader of what was started.
    async fn ask(flights: &SingleFlight<i32>, leads: &Leads) -> Result<i32, Abandoned> {
        flights.join_or_start(|lead| leads.borrow_mut().push(lead)).await
    }

    #[tokio::test]
    async fn callers_at_the_same_time_share_one_result() {
        let (flights, leads) = (SingleFlight::default(), Leads::default());
        let finish = async { leads.borrow_mut().pop().unwrap().finish(7) };
        let (first, second, ()) = tokio::join!(ask(&flights, &leads), ask(&flights, &leads), finish);
        assert_eq!((first, second, leads.borrow().len()), (Ok(7), Ok(7), 0));
    }

    #[tokio::test]
    async fn a_caller_after_the_result_starts_again() {
        let (flights, leads) = (SingleFlight::default(), Leads::default());
        for result in [1, 2] {
            let finish = async { leads.borrow_mut().pop().unwrap().finish(result) };
            assert_eq!(tokio::join!(ask(&flights, &leads), finish).0, Ok(result));
        }
    }

    #[tokio::test]
    async fn abandoned_work_is_an_error_and_is_not_joined_again() {
        let (flights, leads) = (SingleFlight::default(), Leads::default());
        let abandon = async { drop(leads.borrow_mut().pop()) };
        assert_eq!(tokio::join!(ask(&flights, &leads), abandon).0, Err(Abandoned));
        let finish = async { leads.borrow_mut().pop().unwrap().finish(1) };
        assert_eq!(tokio::join!(ask(&flights, &leads), finish).0, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_gives_up_does_not_affect_the_others() {
        let (flights, leads) = (SingleFlight::default(), Leads::default());
        let impatient = tokio::time::timeout(std::time::Duration::from_secs(1), ask(&flights, &leads));
        assert!(impatient.await.is_err());
        let finish = async { leads.borrow_mut().pop().unwrap().finish(3) };
        assert_eq!(tokio::join!(ask(&flights, &leads), finish).0, Ok(3));
        assert!(leads.borrow().is_empty(), "the second caller joined the first one's work");
    }
}
