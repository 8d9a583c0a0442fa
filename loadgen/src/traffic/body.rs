//! A body, read as fast as its client reads.

use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until};

use super::Reads;
use crate::measure::StreamGuard;

/// A body, read as fast as its client reads.
pub(super) struct BodyReader<'a> {
    body: &'a mut Incoming,
    reads: Reads,
    /// When a slow client reads on.
    next: Option<Instant>,
}

/// The connection ended before the body did.
#[derive(Debug)]
pub(super) struct BrokeOff;

impl<'a> BodyReader<'a> {
    pub(super) fn new(body: &'a mut Incoming, reads: Reads) -> Self {
        BodyReader { body, reads, next: None }
    }

    /// The next piece, counted in `guard`; `None` at the end. It is pending for ever once the client has stopped to
    /// read, after `tokens` tokens or more.
    pub(super) async fn next(&mut self, tokens: u32, guard: &mut StreamGuard) -> Option<Result<Bytes, BrokeOff>> {
        if matches!(self.reads, Reads::StopsAfter(most) if tokens >= most) {
            guard.stops_reading();
            pending::<()>().await;
        }
        if let Some(next) = self.next {
            sleep_until(next).await;
        }
        loop {
            let Ok(frame) = self.body.frame().await? else { return Some(Err(BrokeOff)) };
            let Ok(piece) = frame.into_data() else { continue };
            guard.bytes(piece.len());
            if let Reads::Slowly(bytes_per_second) = self.reads {
                let takes = Duration::from_secs_f64(piece.len() as f64 / f64::from(bytes_per_second.max(1)));
                self.next = Some(Instant::now() + takes);
            }
            return Some(Ok(piece));
        }
    }
}
