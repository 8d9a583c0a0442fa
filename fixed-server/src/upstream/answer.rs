//! The body of an answer, as it comes.

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use tokio::io::{AsyncRead, ReadBuf};
use ureq_proto::BodyMode;
use ureq_proto::client::state::RecvBody;
use ureq_proto::client::{Call, RecvBodyResult};

use super::connections::Connection;
use super::exchange::ExchangeError;

/// Most bytes that are read, and passed on, at once.
const PIECE_BYTES_MAX: usize = 4 * 1024;

/// Most bytes of a line of the chunked encoding.
const LINE_BYTES_MAX: usize = 1024;

/// The body of an answer, as it comes.
///
/// Thousands of streams are open at once and wait nearly all of the time. What each holds meanwhile is
/// what a stream costs, so this holds no buffer: it reads into the stack when there is something to
/// read.
pub(super) struct Body {
    /// None once the answer has ended.
    reading: Option<Reading>,
}

struct Reading {
    connection: Connection,
    call: Call<RecvBody>,
    /// What was read and is not decoded: what came with the head, later the part of a line of the
    /// chunked encoding that a read ended in. Mostly empty.
    rest: Vec<u8>,
    /// The request was sent whole: after its answer, the connection can carry the next.
    sent_whole: bool,
}

impl Body {
    /// The body that comes on `connection`, of which `rest` has come already.
    pub(super) fn new(connection: Connection, call: Call<RecvBody>, rest: Vec<u8>, sent_whole: bool) -> Self {
        Body { reading: Some(Reading { connection, call, rest, sent_whole }) }
    }

    /// No body.
    pub(super) fn empty() -> Self {
        Body { reading: None }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = ExchangeError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ExchangeError>>> {
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let read = ready!(reading.poll_piece(cx));
        Poll::Ready(match read {
            Ok(piece) if !piece.is_empty() => Some(Ok(Frame::data(piece))),
            Ok(_) => {
                if let Some(ended) = self.reading.take() {
                    ended.keep_connection();
                }
                None
            }
            Err(error) => {
                self.reading = None;
                Some(Err(error))
            }
        })
    }
}

impl Reading {
    /// The next piece, which is empty at the end.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, ExchangeError>> {
        // Not zeroed: this is asked several times for each piece.
        let mut buffer = [MaybeUninit::uninit(); PIECE_BYTES_MAX];
        let mut read = ReadBuf::uninit(&mut buffer);
        loop {
            let piece = self.decode(read.filled())?;
            if !piece.is_empty() || self.has_ended() {
                return Poll::Ready(Ok(piece));
            }
            read.clear();
            ready!(Pin::new(&mut self.connection.stream).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                // Where nothing else tells the end of an answer, the vendor's closing does.
                let whole = self.call.can_proceed() || self.call.is_ended_chunked();
                self.sent_whole = false;
                return Poll::Ready(if whole { Ok(Bytes::new()) } else { Err(ExchangeError::Closed) });
            }
        }
    }

    /// What of the body there is in the rest and what was `read` after it.
    fn decode(&mut self, read: &[u8]) -> Result<Bytes, ExchangeError> {
        let joined;
        let input = if self.rest.is_empty() {
            read
        } else {
            joined = [&self.rest, read].concat();
            &joined
        };
        if input.is_empty() {
            return Ok(Bytes::new());
        }
        let mut piece = vec![0; input.len().min(PIECE_BYTES_MAX)];
        let (used, decoded) = self.call.read(input, &mut piece)?;
        self.rest = input[used..].to_vec();
        if used == 0 && self.rest.len() > LINE_BYTES_MAX {
            return Err(ExchangeError::LineTooLong);
        }
        piece.truncate(decoded);
        Ok(piece.into_boxed_slice().into())
    }

    fn has_ended(&self) -> bool {
        self.call.can_proceed() && self.call.body_mode() != BodyMode::CloseDelimited
    }

    /// Keeps the connection for the next request, if the vendor lets it.
    fn keep_connection(self) {
        let Reading { connection, call, rest, sent_whole } = self;
        if sent_whole
            && rest.is_empty()
            && let Some(RecvBodyResult::Cleanup(call)) = call.proceed()
            && !call.must_close_connection()
        {
            connection.keep();
        }
    }
}
