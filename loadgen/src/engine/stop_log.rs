//! What becomes of a server that a lab asks to end.

use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use process::{ServerProcess, Signal, SignalError};
use tokio::time::sleep;

use crate::numbers::in_millis;
use crate::result::ServerStop;

/// How often a process that was asked to end is looked at.
const INTERVAL: Duration = Duration::from_millis(5);

/// The end of one arm's server, if the lab asked for it.
#[derive(Debug, Default)]
pub(super) struct StopLog(Mutex<Option<Stop>>);

#[derive(Debug, Clone, Copy)]
struct Stop {
    signal: Signal,
    /// Since the start of the run, as is the time of the end.
    signalled: Duration,
    ended: Option<(Duration, ExitStatus)>,
}

impl StopLog {
    /// Sends `signal` to the server. If it asks for its end, the process is watched from then on. A server that has
    /// ended after an earlier one of them gets no more.
    ///
    /// # Errors
    /// [`SignalError`].
    pub(super) fn signal(
        self: &Arc<Self>,
        server: &Arc<ServerProcess>,
        signal: Signal,
        origin: Instant,
    ) -> Result<(), SignalError> {
        // Locked meanwhile: a server that has ended must be found to have been asked to.
        let mut stop = self.lock();
        if stop.is_some() && server.status().is_some() {
            return Ok(());
        }
        server.signal(signal)?;
        if stop.is_none() && !matches!(signal, Signal::Stop | Signal::Cont) {
            *stop = Some(Stop { signal, signalled: origin.elapsed(), ended: None });
            // It ends with the process, or with the arm.
            tokio::spawn(watch(Arc::downgrade(server), self.clone(), origin));
        }
        Ok(())
    }

    /// Whether the server was asked to end.
    pub(super) fn is_asked(&self) -> bool {
        self.lock().is_some()
    }

    /// What became of it by `now`, if it was asked to end.
    pub(super) fn result(&self, now: Duration) -> Option<ServerStop> {
        let Stop { signal, signalled, ended } = (*self.lock())?;
        // A server that waits for its clients ends with the run, when they disconnect.
        let ended = ended.filter(|(at, _)| *at <= now);
        Some(ServerStop {
            signal: signal.to_string(),
            signalled_ms: in_millis(signalled),
            alive_ms: in_millis(ended.map_or(now, |(at, _)| at).saturating_sub(signalled)),
            ended: ended.is_some(),
            exit_code: ended.and_then(|(_, status)| status.code()),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stop>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the end of `server`, without keeping it alive.
async fn watch(server: Weak<ServerProcess>, log: Arc<StopLog>, origin: Instant) {
    while let Some(status) = server.upgrade().map(|server| server.status()) {
        if let Some(status) = status {
            if let Some(stop) = &mut *log.lock() {
                stop.ended = Some((origin.elapsed(), status));
            }
            return;
        }
        sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use process::Launch;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(20);

    struct Stopping {
        server: Arc<ServerProcess>,
        log: Arc<StopLog>,
        origin: Instant,
    }

    /// A server of which `on_term` is what it does at SIGTERM.
    async fn server(on_term: &str) -> Stopping {
        let body =
            format!("trap '{on_term}' TERM; echo 'listening on http://127.0.0.1:1' >&2; while :; do sleep 0.05; done");
        let server = Launch::new("sh").args(["-c", &body]).start(TIMEOUT).await.unwrap();
        Stopping { server: Arc::new(server), log: Arc::default(), origin: Instant::now() }
    }

    impl Stopping {
        fn signal(&self, signal: Signal) {
            self.log.signal(&self.server, signal, self.origin).unwrap();
        }

        fn result(&self) -> Option<ServerStop> {
            self.log.result(self.origin.elapsed())
        }

        async fn ended(&self) -> ServerStop {
            while self.result().is_none_or(|stop| !stop.ended) {
                assert!(self.origin.elapsed() < TIMEOUT);
                sleep(INTERVAL).await;
            }
            self.result().unwrap()
        }
    }

    #[tokio::test]
    async fn the_exit_code_and_the_time_to_the_exit_are_seen() {
        let stopping = server("sleep 0.3; exit 3").await;
        assert!(stopping.result().is_none() && !stopping.log.is_asked());
        stopping.signal(Signal::Term);
        assert!(stopping.log.is_asked() && stopping.result().is_some_and(|stop| !stop.ended));
        let stop = stopping.ended().await;
        assert_eq!((stop.signal.as_str(), stop.exit_code), ("SIGTERM", Some(3)));
        assert!(stop.alive_ms >= 290.0, "{stop:?}");
        // It no longer grows.
        assert_eq!(stopping.log.result(TIMEOUT).unwrap().alive_ms, stop.alive_ms);
        stopping.signal(Signal::Kill);
    }

    #[tokio::test]
    async fn a_server_that_does_not_end_is_alive_until_it_is_killed() {
        let stopping = server("").await;
        stopping.signal(Signal::Term);
        sleep(Duration::from_millis(200)).await;
        let stop = stopping.result().unwrap();
        assert!(!stop.ended && stop.exit_code.is_none() && stop.alive_ms >= 200.0, "{stop:?}");
        stopping.signal(Signal::Kill);
        let killed = stopping.ended().await;
        assert_eq!((killed.signal.as_str(), killed.exit_code), ("SIGTERM", None), "the first signal counts");
        assert_eq!(killed.signalled_ms, stop.signalled_ms);
    }

    #[tokio::test]
    async fn a_pause_does_not_ask_for_the_end() {
        let stopping = server("exit 0").await;
        stopping.signal(Signal::Stop);
        stopping.signal(Signal::Cont);
        assert!(!stopping.log.is_asked());
    }

    #[tokio::test]
    async fn a_server_that_ended_by_itself_gets_no_signal() {
        let stopping = server("exit 0").await;
        stopping.server.signal(Signal::Term).unwrap();
        stopping.server.wait(TIMEOUT).await.unwrap();
        assert!(stopping.log.signal(&stopping.server, Signal::Term, stopping.origin).is_err());
        assert!(!stopping.log.is_asked(), "it was not the lab that stopped it");
    }
}
