//! The address of a server under test, which must be on this machine.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use bytes::Bytes;
use http::Uri;
use http::request::Builder;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{CONNECTION, HOST};

/// A server under test: `http://HOST:PORT`, on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    addr: SocketAddr,
    host: String,
}

/// A URL that cannot be a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("'{0}' is not a URL: expected something like http://127.0.0.1:8000")]
    NotAUrl(String),
    /// A scheme that is not supported.
    #[error("'{url}' has the scheme {scheme}: only http is supported (use a local TLS proxy in between)")]
    Scheme {
        /// The URL.
        url: String,
        /// Its scheme.
        scheme: String,
    },
    /// A host name that does not resolve.
    #[error("the host of '{0}' does not resolve")]
    Unresolved(String),
    /// A path where only a server is expected.
    #[error("'{url}' has the path {path}: give the server alone, as {server}")]
    Path {
        /// The URL.
        url: String,
        /// Its path.
        path: String,
        /// The same without it.
        server: String,
    },
    /// An address of another machine.
    #[error(
        "'{0}' is not on this machine: load goes to loopback addresses only; reach another machine through a tunnel, such as `ssh -L 8000:127.0.0.1:8000 HOST`"
    )]
    NotLoopback(String),
}

impl Endpoint {
    /// Parses the URL of a server, without a path.
    ///
    /// # Errors
    /// Those of [`Endpoint::parse_with_path`], and [`EndpointError::Path`].
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        match Self::parse_with_path(url)? {
            (endpoint, None) => Ok(endpoint),
            (endpoint, Some(path)) => {
                Err(EndpointError::Path { url: url.to_owned(), path, server: endpoint.to_string() })
            }
        }
    }

    /// Parses a URL into its server and its path, if it has one. Only loopback addresses are allowed: a typing
    /// error must not turn into an attack on another server.
    ///
    /// # Errors
    /// [`EndpointError`], which names the URL and what is allowed.
    pub fn parse_with_path(url: &str) -> Result<(Self, Option<String>), EndpointError> {
        let not_a_url = || EndpointError::NotAUrl(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| not_a_url())?;
        let scheme = uri.scheme_str().ok_or_else(not_a_url)?;
        if scheme != "http" {
            return Err(EndpointError::Scheme { url: url.into(), scheme: scheme.into() });
        }
        let authority = uri.authority().ok_or_else(not_a_url)?;
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        let port = authority.port_u16().unwrap_or(80);
        let unresolved = |_| EndpointError::Unresolved(url.to_owned());
        let addresses: Vec<SocketAddr> = match name.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => (name, port).to_socket_addrs().map_err(unresolved)?.collect(),
        };
        if !addresses.iter().all(|addr| addr.ip().is_loopback()) {
            return Err(EndpointError::NotLoopback(url.to_owned()));
        }
        // The servers here listen on IPv4, which may be the second address of `localhost`.
        let addr = addresses.iter().find(|addr| addr.is_ipv4()).or_else(|| addresses.first());
        let addr = *addr.ok_or_else(|| EndpointError::Unresolved(url.to_owned()))?;
        let path = uri.path_and_query().map(|path| path.as_str()).filter(|path| *path != "/" && !path.is_empty());
        Ok((Endpoint { addr, host: authority.to_string() }, path.map(str::to_owned)))
    }

    /// A server at `addr`.
    #[must_use]
    pub fn at(addr: SocketAddr) -> Self {
        Endpoint { addr, host: addr.to_string() }
    }

    /// The address to connect to.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A request for `path` that closes its connection.
    #[must_use]
    pub fn request(&self, method: &str, path: &str, headers: &[(String, String)], body: Bytes) -> Request<Full<Bytes>> {
        let mut request = self.builder(method, path).header(CONNECTION, "close");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        checked(request.body(Full::new(body)))
    }

    /// A request for `path`, without headers or body, that keeps its connection open.
    #[must_use]
    pub fn request_keep_alive(&self, method: &str, path: &str) -> Request<Full<Bytes>> {
        checked(self.builder(method, path).body(Full::default()))
    }

    fn builder(&self, method: &str, path: &str) -> Builder {
        Request::builder().method(method).uri(path).header(HOST, &self.host)
    }
}

fn checked(built: http::Result<Request<Full<Bytes>>>) -> Request<Full<Bytes>> {
    built.unwrap_or_else(|error| unreachable!("method, path and headers have been validated: {error}"))
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}", self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_urls_are_targets() {
        for url in ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000"] {
            assert!(Endpoint::parse(url).is_ok(), "{url}");
        }
        let (endpoint, path) = Endpoint::parse_with_path("http://127.0.0.1:8000/v1/x?a=b").unwrap();
        assert_eq!((endpoint.to_string().as_str(), path.as_deref()), ("http://127.0.0.1:8000", Some("/v1/x?a=b")));
        assert_eq!(endpoint.request("GET", "/x", &[], Bytes::new()).uri(), "/x");
    }

    #[test]
    fn a_server_with_a_path_is_rejected_with_the_right_form() {
        let rejected = Endpoint::parse("http://127.0.0.1:8000/base/").unwrap_err().to_string();
        assert!(rejected.contains("/base/") && rejected.ends_with("as http://127.0.0.1:8000"), "{rejected}");
    }

    #[test]
    fn other_urls_are_rejected_with_the_reason() {
        assert!(matches!(Endpoint::parse("http://192.0.2.1:80"), Err(EndpointError::NotLoopback(_))));
        assert!(matches!(Endpoint::parse("https://127.0.0.1"), Err(EndpointError::Scheme { .. })));
        assert!(matches!(Endpoint::parse("127.0.0.1:8000"), Err(EndpointError::NotAUrl(_))));
        assert!(matches!(Endpoint::parse("nonsense"), Err(EndpointError::NotAUrl(_))));
    }
}
