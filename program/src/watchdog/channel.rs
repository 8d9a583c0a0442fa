//! The connection between a watchdog and its worker: heartbeats one way, the request to stop the other. It closes with
//! either process.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;
use std::{process, thread};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::interval;

const BEAT: u8 = b'.';
const STOP: u8 = b's';

/// Exit code of a worker whose watchdog has ended.
const WATCHDOG_ENDED: i32 = 1;

/// The worker's end.
#[derive(Debug, Clone)]
pub struct Heart {
    channel: Arc<UnixStream>,
    every: Duration,
    stop: Arc<Notify>,
}

impl Heart {
    /// The worker's end of `channel`, which beats `every` so often from [`Heart::beat`] on.
    ///
    /// # Errors
    /// The system refuses it.
    pub(super) fn new(channel: UnixStream, every: Duration) -> io::Result<Self> {
        // A watchdog that does not read must not block the event loop.
        channel.set_write_timeout(Some(Duration::from_millis(1)))?;
        let heart = Heart { channel: Arc::new(channel), every, stop: Arc::default() };
        let (watched, stop) = (heart.channel.clone(), heart.stop.clone());
        // A thread, not a task: a worker whose event loop is blocked must end with its watchdog too.
        thread::Builder::new().name("watchdog-watch".into()).spawn(move || {
            let mut byte = [0];
            while (&*watched).read_exact(&mut byte).is_ok() {
                if byte == [STOP] {
                    stop.notify_one();
                }
            }
            process::exit(WATCHDOG_ENDED);
        })?;
        Ok(heart)
    }

    /// Sends the first heartbeat, and more for as long as the future is polled: as a task of the event loop that is
    /// watched. To be called before requests are served: the first of them may block the event loop.
    pub fn beat(self) -> impl Future<Output = ()> {
        self.send();
        async move {
            let mut due = interval(self.every);
            loop {
                due.tick().await;
                self.send();
            }
        }
    }

    fn send(&self) {
        // A watchdog that has ended ends this process, and one that does not read notices nothing.
        let _ = (&*self.channel).write(&[BEAT]);
    }

    /// Waits until the watchdog asks this process to stop.
    pub async fn asked_to_stop(&self) {
        self.stop.notified().await;
    }
}

/// What comes from a worker.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beats {
    /// At least one heartbeat.
    Beat,
    /// The worker has closed the channel: it has ended, or is about to.
    Closed,
}

/// The watchdog's end.
#[derive(Debug)]
pub(super) struct Pulse(tokio::net::UnixStream);

impl Pulse {
    pub(super) fn new(channel: UnixStream) -> io::Result<Self> {
        channel.set_nonblocking(true)?;
        tokio::net::UnixStream::from_std(channel).map(Pulse)
    }

    /// Waits for the next heartbeat.
    pub(super) async fn next(&mut self) -> io::Result<Beats> {
        let mut beats = [0; 64];
        match self.0.read(&mut beats).await {
            Ok(0) => Ok(Beats::Closed),
            Ok(_) => Ok(Beats::Beat),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Beats::Closed),
            Err(error) => Err(error),
        }
    }

    /// Asks the worker to stop.
    pub(super) async fn ask_to_stop(&mut self) -> io::Result<()> {
        self.0.write_all(&[STOP]).await
    }
}
