//! A cache for answers of tokio's blocking pool.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long an answer is used before it is looked up again.
const CACHED_FOR: Duration = Duration::from_secs(5);

/// How long a look-up may take before the older answer is used.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(1);

/// Answers that are available only through tokio's blocking pool.
#[derive(Debug, Default)]
pub(crate) struct LookUps {
    pub(crate) addresses: Cached<Vec<IpAddr>>,
    pub(crate) file: Cached<Vec<u8>>,
}

/// The last answer of a look-up. It is used for [`CACHED_FOR`], or longer while look-ups fail.
#[derive(Debug)]
pub(crate) struct Cached<T>(Mutex<Option<(T, Instant)>>);

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Cached(Mutex::default())
    }
}

impl<T> Cached<T> {
    /// Applies `read` to the cached answer, or else to that of `look_up`. Of concurrent callers one looks it up, and the
    /// others wait for it.
    pub(crate) async fn get<R>(
        &self,
        look_up: impl Future<Output = io::Result<T>>,
        read: impl FnOnce(&T) -> R,
    ) -> io::Result<R> {
        let mut cached = self.0.lock().await;
        if let Some((answer, until)) = &*cached
            && Instant::now() < *until
        {
            return Ok(read(answer));
        }
        let newer = timeout(LOOK_UP_TIMEOUT, look_up).await.unwrap_or_else(|late| Err(late.into()));
        let answer = match (newer, cached.take()) {
            (Ok(newer), _) => newer,
            // It is probably still true, and the next caller does not wait for the same failure.
            (Err(_), Some((older, _))) => older,
            (Err(error), None) => return Err(error),
        };
        let (answer, _) = cached.insert((answer, Instant::now() + CACHED_FOR));
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
    async fn an_answer_is_used_until_it_expires() {
        let (cached, asked) = (Cached::default(), Cell::new(0));
        let get = || {
            let look_up = async {
                asked.set(asked.get() + 1);
                Ok(asked.get())
            };
            cached.get(look_up, |answer| *answer)
        };
        assert_eq!([get().await.unwrap(), get().await.unwrap()], [1, 1]);
        sleep(CACHED_FOR - Duration::from_millis(1)).await;
        assert_eq!(get().await.unwrap(), 1);
        sleep(Duration::from_millis(1)).await;
        assert_eq!(get().await.unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_expired_answer_is_used_when_a_look_up_fails() {
        let cached = Cached::default();
        cached.get(async { Ok(1) }, |_| ()).await.unwrap();
        sleep(CACHED_FOR).await;
        assert_eq!(cached.get(async { Err(io::ErrorKind::NotFound.into()) }, |answer| *answer).await.unwrap(), 1);
        sleep(CACHED_FOR).await;
        let begun = Instant::now();
        assert_eq!(cached.get(pending(), |answer| *answer).await.unwrap(), 1);
        assert_eq!(cached.get(pending(), |answer| *answer).await.unwrap(), 1);
        assert_eq!(begun.elapsed(), LOOK_UP_TIMEOUT, "only the first call waited");
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_callers_share_a_look_up_and_one_may_give_up() {
        let cached = Cached::default();
        assert!(timeout(Duration::from_millis(10), cached.get(pending(), |answer: &i32| *answer)).await.is_err());
        let slow = async {
            sleep(Duration::from_millis(500)).await;
            Ok(7)
        };
        let second = async { panic!("asked a second time") };
        let (first, second) = join(cached.get(slow, |answer| *answer), cached.get(second, |answer| *answer)).await;
        assert_eq!((first.unwrap(), second.unwrap()), (7, 7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_look_up_that_hangs_fails_in_bounded_time() {
        let (cached, begun) = (Cached::<i32>::default(), Instant::now());
        assert!(cached.get(pending(), |answer| *answer).await.is_err());
        assert_eq!(begun.elapsed(), LOOK_UP_TIMEOUT);
    }
}
