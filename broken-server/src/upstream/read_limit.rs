//! Read limits that change within a call, which ureq has not.

use std::cell::Cell;
use std::time::Duration;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

thread_local! {
    static LIMIT: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// Runs `read` with each read that it makes from a vendor's socket bounded by `limit`.
///
/// ureq's own limit for a read is one for the whole call, so it cannot be longer for the first token
/// than for the next; its limit for a body is a total, which would cut a healthy long stream. What is
/// blocking stays on one thread, so the limit of the moment can be the thread's.
pub(super) fn with_read_limit<T>(limit: Duration, read: impl FnOnce() -> T) -> T {
    LIMIT.set(Some(limit));
    let result = read();
    LIMIT.set(None);
    result
}

/// The last link in ureq's chain of connectors: makes a connection obey [`with_read_limit`].
#[derive(Debug)]
pub(super) struct ReadLimitConnector;

impl<In: Transport> Connector<In> for ReadLimitConnector {
    type Out = ReadLimited<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(ReadLimited))
    }
}

/// A connection whose reads obey [`with_read_limit`].
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
