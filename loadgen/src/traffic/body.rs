//! A body, read as fast as its client reads, and decompressed as it arrives.

use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use tokio::time::{Instant, sleep_until};

use super::Reads;
use super::gzip::Gunzip;
use crate::measure::StreamGuard;

/// A body, read as fast as its client reads.
pub(super) struct BodyReader<'a> {
    body: &'a mut Incoming,
    reads: Reads,
    /// For a compressed body.
    gunzip: Option<Gunzip>,
    /// When a slow client reads on.
    next: Option<Instant>,
}

/// Why a body could not be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyError {
    /// The connection ended before the body did.
    BrokeOff,
    /// It is not the gzip that its header announces.
    NotGzip,
}

impl BodyError {
    /// The cause by which such a failure is counted.
    pub(super) fn cause(self) -> &'static str {
        match self {
            BodyError::BrokeOff => "broke off",
            BodyError::NotGzip => "not gzip",
        }
    }
}

impl<'a> BodyReader<'a> {
    /// The body of `response`, which is decompressed if its head says that it is compressed.
    pub(super) fn of(response: &'a mut Response<Incoming>, reads: Reads) -> Self {
        let gunzip = Gunzip::for_body_with(response.headers());
        BodyReader { body: response.body_mut(), reads, gunzip, next: None }
    }

    /// The next piece, counted in `guard`; `None` at the end. It is pending for ever once the client has stopped to
    /// read, after `tokens` tokens or more.
    pub(super) async fn next(&mut self, tokens: u32, guard: &mut StreamGuard) -> Option<Result<Bytes, BodyError>> {
        if matches!(self.reads, Reads::StopsAfter(most) if tokens >= most) {
            guard.stops_reading();
            pending::<()>().await;
        }
        loop {
            if let Some(next) = self.next {
                sleep_until(next).await;
            }
            let Ok(frame) = self.body.frame().await? else { return Some(Err(BodyError::BrokeOff)) };
            let Ok(piece) = frame.into_data() else { continue };
            guard.bytes(piece.len());
            if let Reads::Slowly(bytes_per_second) = self.reads {
                let takes = Duration::from_secs_f64(piece.len() as f64 / f64::from(bytes_per_second.max(1)));
                self.next = Some(Instant::now() + takes);
            }
            let Some(gunzip) = &mut self.gunzip else { return Some(Ok(piece)) };
            match gunzip.next(&piece) {
                // Nothing can be read yet: the compressor still holds what follows.
                Ok(read) if read.is_empty() => {}
                read => return Some(read.map_err(|_| BodyError::NotGzip)),
            }
        }
    }
}
