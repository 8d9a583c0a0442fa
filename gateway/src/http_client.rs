//! The beginning of every HTTP client here, because TLS in one program changes them all.
//!
//! A build of the whole workspace has one reqwest. With TLS for `fixed-server` it has TLS for every program and
//! test, and a client that does not begin here panics for lack of a cryptography provider; with one, it would
//! read the system's certificate authorities at each start.

use reqwest::{Client, ClientBuilder};

/// A client for plain http. It uses no proxy from the environment, not even for a vendor on loopback.
pub fn http_client() -> ClientBuilder {
    let client = builder();
    // No certificate authorities: reading them takes time, and fails where there are none, as in a bare container.
    #[cfg(feature = "tls")]
    let client = client.tls_certs_only([]);
    client
}

/// A client for https, and http, that trusts the system's certificate authorities. It uses no proxy from the
/// environment.
#[cfg(feature = "tls")]
pub fn https_client() -> ClientBuilder {
    builder()
}

#[allow(clippy::disallowed_methods, reason = "this is the one place")]
fn builder() -> ClientBuilder {
    // An error says that another client of this process has installed it already.
    #[cfg(feature = "tls")]
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy()
}
