//! A keep-alive connection.

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio_util::task::AbortOnDropHandle;

use super::{Endpoint, HttpError, Receive, connect, read_to_end};

/// One connection for several requests, one after another.
pub struct KeepAliveConnection {
    endpoint: Endpoint,
    headers: Vec<(String, String)>,
    open: Option<Open>,
    /// Connections that have been opened.
    opened: u64,
}

/// A connection, and the task that drives it.
type Open = (SendRequest<Full<Bytes>>, AbortOnDropHandle<()>);

impl KeepAliveConnection {
    /// A connection to `endpoint`, opened with the first request.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        KeepAliveConnection { endpoint, headers: Vec::new(), open: None, opened: 0 }
    }

    /// The same, and each request is sent with these headers.
    #[must_use]
    pub fn with_headers(self, headers: Vec<(String, String)>) -> Self {
        KeepAliveConnection { headers, ..self }
    }

    /// Gets `path` and returns the status once the answer is complete. Reconnects if the server has closed the
    /// connection.
    ///
    /// # Errors
    /// [`HttpError`]; the next request then opens a new connection, also if this future is dropped early.
    pub async fn get(&mut self, path: &str) -> Result<u16, HttpError> {
        let (mut sender, driver) = match self.reusable().await {
            Some(open) => open,
            None => {
                let mut open = connect(&self.endpoint, Receive::AtOnce).await?;
                open.0.ready().await.map_err(HttpError::Exchange)?;
                self.opened += 1;
                open
            }
        };
        let request = self.endpoint.request_keep_alive("GET", path, &self.headers);
        let mut response = sender.send_request(request).await.map_err(HttpError::Exchange)?;
        read_to_end(response.body_mut(), 0).await?;
        self.open = Some((sender, driver));
        Ok(response.status().as_u16())
    }

    /// How many connections have been opened so far: more than one if the server has closed one.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// The connection of the last request, unless the server has closed it.
    async fn reusable(&mut self) -> Option<Open> {
        let mut open = self.open.take()?;
        open.0.ready().await.ok()?;
        Some(open)
    }
}
