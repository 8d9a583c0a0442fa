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
    let client = Client::builder()
        // Otherwise even a vendor on loopback would be called through a proxy from the environment.
        .no_proxy()
        // A redirect would send the key and the users' prompts to another host.
        .redirect(Policy::none())
        // reqwest would repeat a request that the vendor's HTTP layer turned away. Attempts are counted and
        // limited by the stack. What remains is a repetition that cannot reach the vendor twice: a kept
        // connection was closed before any byte of the request was written to it.
        .retry(reqwest::retry::never())
        .tcp_nodelay(true)
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT);
    // No `timeout`: a total would truncate a healthy long stream. The stack has the others.
    with_tls(client, url).build()
    // ANCHOR_END: blocking-client
}

#[cfg(feature = "tls")]
fn with_tls(client: ClientBuilder, url: &UpstreamUrl) -> ClientBuilder {
    // Without one, reqwest panics. An error says that another client in this process has installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Reading the system's certificate authorities takes time, and fails where there are none, as in a bare
    // container: no reason not to call a vendor over http.
    if url.is_https() { client } else { client.tls_certs_only([]) }
}

#[cfg(not(feature = "tls"))]
fn with_tls(client: ClientBuilder, _: &UpstreamUrl) -> ClientBuilder {
    client
}
