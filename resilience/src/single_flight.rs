//! Work that many ask for and that is done once.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Work that many ask for and that is done once: who comes while it is under way waits for the same result.
///
/// It is for questions whose answer is the same for everybody and costs something that is short, such as a
/// thread: asked by each for itself, the question alone takes what it asks about.
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
    /// A std mutex: it is held while work is started, never over an `.await`.
    under_way: Mutex<Option<watch::Receiver<Option<T>>>>,
}

/// The right, and the duty, to give the result.
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
    /// Waits for the result of the work that is under way, or of that which `start` starts where there is
    /// none. `start` must not wait, and the work must run by itself, in a task or on a thread: it goes on
    /// when nobody waits for it any more.
    ///
    /// # Errors
    /// [`Abandoned`], when the work was dropped, or panicked, before it was finished.
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

/// Whether a result is still to come: it is not there, and somebody has the lead.
fn is_open<T>(result: &watch::Receiver<Option<T>>) -> bool {
    result.borrow().is_none() && result.has_changed().is_ok()
}

impl<T> Leader<T> {
    /// Gives everybody who waits the result. Who asks from now on starts anew.
    pub fn finish(self, result: T) {
        self.0.send_replace(Some(result));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    type Leads = RefCell<Vec<Leader<i32>>>;

    /// Asks, and keeps the lead of what was started.
    async fn ask(flights: &SingleFlight<i32>, leads: &Leads) -> Result<i32, Abandoned> {
        flights.join_or_start(|lead| leads.borrow_mut().push(lead)).await
    }

    #[tokio::test]
    async fn there_is_one_at_a_time_and_all_get_its_result() {
        let (flights, leads) = (SingleFlight::default(), Leads::default());
        let finish = async { leads.borrow_mut().pop().unwrap().finish(7) };
        let (first, second, ()) = tokio::join!(ask(&flights, &leads), ask(&flights, &leads), finish);
        assert_eq!((first, second, leads.borrow().len()), (Ok(7), Ok(7), 0));
    }

    #[tokio::test]
    async fn who_comes_when_it_is_done_starts_anew() {
        let (flights, leads) = (SingleFlight::default(), Leads::default());
        for result in [1, 2] {
            let finish = async { leads.borrow_mut().pop().unwrap().finish(result) };
            assert_eq!(tokio::join!(ask(&flights, &leads), finish).0, Ok(result));
        }
    }

    #[tokio::test]
    async fn one_that_was_abandoned_is_an_error_and_not_joined_again() {
        let (flights, leads) = (SingleFlight::default(), Leads::default());
        let abandon = async { drop(leads.borrow_mut().pop()) };
        assert_eq!(tokio::join!(ask(&flights, &leads), abandon).0, Err(Abandoned));
        let finish = async { leads.borrow_mut().pop().unwrap().finish(1) };
        assert_eq!(tokio::join!(ask(&flights, &leads), finish).0, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_takes_nothing_from_those_who_wait() {
        let (flights, leads) = (SingleFlight::default(), Leads::default());
        let impatient = tokio::time::timeout(std::time::Duration::from_secs(1), ask(&flights, &leads));
        assert!(impatient.await.is_err());
        let finish = async { leads.borrow_mut().pop().unwrap().finish(3) };
        assert_eq!(tokio::join!(ask(&flights, &leads), finish).0, Ok(3));
        assert!(leads.borrow().is_empty(), "the second one joined the first one's");
    }
}
