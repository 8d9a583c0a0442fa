//! Read timeouts that change within a call, which ureq does not have.

use std::cell::Cell;
use std::time::Duration;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

thread_local! {
    static LIMIT: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// Runs `read`, in which each read from the vendor's socket may take as long as `limit`.
///
/// ureq's own read timeout is the same for the whole call, so it cannot be longer for the first token than for the next.
/// Its timeout for a body is a total, which would end a healthy long stream. Blocking code stays on one thread, so the
/// current timeout can be kept in the thread.
pub(super) fn with_read_limit<T>(limit: Duration, read: impl FnOnce() -> T) -> T {
    LIMIT.set(Some(limit));
    let result = read();
    LIMIT.set(None);
    result
}

/// The last of ureq's chained connectors: applies [`with_read_limit`] to the connection.
#[derive(Debug)]
pub(super) struct ReadLimitConnector;

impl<In: Transport> Connector<In> for ReadLimitConnector {
    type Out = ReadLimited<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(ReadLimited))
    }
}

/// A connection whose reads have the timeout of [`with_read_limit`].
#[derive(Debug)]
pub(super) struct ReadLimited<T>(T);

impl<T: Transport> Transport for ReadLimited<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let per_read = LIMIT.get().map(Into::into).or(timeout.per_read);
        self.0.await_input(NextTimeout { per_read, ..timeout })
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }
}
