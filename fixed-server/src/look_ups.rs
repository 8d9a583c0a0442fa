//! Answers that only tokio's blocking pool can give, kept for a while.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long an answer is used before it is looked up again.
const KEPT_FOR: Duration = Duration::from_secs(5);

/// How long a look-up may take before an older answer is used.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// What was looked up through tokio's blocking pool, which is the only way to it.
#[derive(Debug, Default)]
pub(crate) struct LookUps {
    pub(crate) addresses: Kept<Vec<IpAddr>>,
    pub(crate) file: Kept<Vec<u8>>,
}

/// The last answer of a look-up, used for [`KEPT_FOR`]; longer when no newer one can be had.
#[derive(Debug)]
pub(crate) struct Kept<T>(Mutex<Option<(T, Instant)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Kept(Mutex::default())
    }
}

impl<T> Kept<T> {
    /// What `read` makes of the answer that is kept, or else of that of `look_up`. Who comes while there
    /// is a look-up waits for it and makes none.
    pub(crate) async fn get<R>(
        &self,
        look_up: impl Future<Output = io::Result<T>>,
        read: impl FnOnce(&T) -> R,
    ) -> io::Result<R> {
        let mut kept = self.0.lock().await;
        if let Some((answer, until)) = &*kept
            && Instant::now() < *until
        {
            return Ok(read(answer));
        }
        let newer = timeout(LOOK_UP_TIMEOUT, look_up).await.unwrap_or_else(|late| Err(late.into()));
        let answer = match (newer, kept.take()) {
            (Ok(newer), _) => newer,
            // Old and true most of the time; and who comes next is not to wait for the same failure.
            (Err(_), Some((older, _))) => older,
            (Err(error), None) => return Err(error),
        };
        let (answer, _) = kept.insert((answer, Instant::now() + KEPT_FOR));
        Ok(read(answer))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use futures_util::future::join;
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_used_until_it_is_old() {
        let (kept, asked) = (Kept::default(), Cell::new(0));
        let get = || {
            let look_up = async {
                asked.set(asked.get() + 1);
                Ok(asked.get())
            };
            kept.get(look_up, |answer| *answer)
        };
        assert_eq!([get().await.unwrap(), get().await.unwrap()], [1, 1]);
        sleep(KEPT_FOR - Duration::from_millis(1)).await;
        assert_eq!(get().await.unwrap(), 1);
        sleep(Duration::from_millis(1)).await;
        assert_eq!(get().await.unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_answer_is_better_than_none() {
        let kept = Kept::default();
        kept.get(async { Ok(1) }, |_| ()).await.unwrap();
        sleep(KEPT_FOR).await;
        assert_eq!(kept.get(async { Err(io::ErrorKind::NotFound.into()) }, |answer| *answer).await.unwrap(), 1);
        sleep(KEPT_FOR).await;
        let begun = Instant::now();
        assert_eq!(kept.get(pending(), |answer| *answer).await.unwrap(), 1);
        assert_eq!(kept.get(pending(), |answer| *answer).await.unwrap(), 1);
        assert_eq!(begun.elapsed(), LOOK_UP_TIMEOUT, "one waited, and the next did not");
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_one_look_up_at_a_time_and_one_that_is_given_up_does_no_harm() {
        let kept = Kept::default();
        assert!(timeout(Duration::from_millis(10), kept.get(pending(), |answer: &i32| *answer)).await.is_err());
        let slow = async {
            sleep(Duration::from_millis(500)).await;
            Ok(7)
        };
        let second = async { panic!("asked a second time") };
        let (first, second) = join(kept.get(slow, |answer| *answer), kept.get(second, |answer| *answer)).await;
        assert_eq!((first.unwrap(), second.unwrap()), (7, 7));
    }

    #[tokio::test(start_paused = true)]
    async fn without_any_answer_it_fails_within_its_bound() {
        let (kept, begun) = (Kept::<i32>::default(), Instant::now());
        assert!(kept.get(pending(), |answer| *answer).await.is_err());
        assert_eq!(begun.elapsed(), LOOK_UP_TIMEOUT);
    }
}
