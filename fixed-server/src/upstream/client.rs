//! The HTTP client for the vendor.

use std::time::Duration;

use gateway::UpstreamUrl;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

/// How long an unused connection is kept: less than the 5 s after which servers such as Node's and
/// uvicorn close it, which would race with the next request.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// One client, with one pool of connections, for all calls to the vendor at `url`.
///
/// # Errors
/// When TLS cannot be set up: above all, where the system has no certificate authorities.
pub(super) fn build(url: &UpstreamUrl, connect_timeout: Duration) -> reqwest::Result<Client> {
    // ANCHOR: blocking-client
    // FIX blocking-client: the same crate's asynchronous client; what it waits for is in its caller's `.await`.
    builder(url)
        // A redirect would send the key and the users' prompts to another host.
        .redirect(Policy::none())
        // Attempts are counted and limited by the stack. What remains is a repetition that cannot reach the
        // vendor twice: a kept connection was closed before a byte of the request was written to it.
        .retry(reqwest::retry::never())
        .tcp_nodelay(true)
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        // FIX total-timeout-on-stream: no `timeout`. It would count to the end of the body, and end a healthy stream that
        // is longer. A stream has a limit for its first token (stack.rs) and one for each silence (timeouts.rs).
        .build()
    // ANCHOR_END: blocking-client
}

#[cfg(feature = "tls")]
fn builder(url: &UpstreamUrl) -> ClientBuilder {
    if url.is_https() { gateway::https_client() } else { gateway::http_client() }
}

#[cfg(not(feature = "tls"))]
fn builder(_: &UpstreamUrl) -> ClientBuilder {
    gateway::http_client()
}
