//! The address of a server under test, which must be on this machine.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use bytes::Bytes;
use http::Uri;
use http::request::Builder;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{CONNECTION, HOST};

/// A server to send load to: `http://HOST:PORT`, on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    addr: SocketAddr,
    host: String,
}

/// A URL that is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("'{0}' is no URL: expected something like http://127.0.0.1:8000")]
    NotAUrl(String),
    /// A scheme that is not prose_summary.
    #[error("'{url}' has the scheme {scheme}: only http is prose_summary (put a local TLS proxy in between)")]
    Scheme {
        /// The URL.
        url: String,
        /// Its scheme.
        scheme: String,
    },
    /// A name without an address.
    #[error("'{0}' has a host that does not resolve")]
    Unresolved(String),
    /// A path where there is none to be.
    #[error("'{url}' has the path {path}: give the server alone, as {server}")]
    Path {
        /// The URL.
        url: String,
        /// Its path.
        path: String,
        /// The same without it.
        server: String,
    },
    /// Another machine.
    #[error(
        "'{0}' is not on this machine: load goes to loopback addresses only; reach another machine through a tunnel, such as `ssh -L 8000:127.0.0.1:8000 HOST`"
    )]
    NotLoopback(String),
}

impl Endpoint {
    /// Reads the URL of a server, which has no path.
    ///
    /// # Errors
    /// As of [`Endpoint::parse_with_path`], and [`EndpointError::Path`].
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        match Self::parse_with_path(url)? {
            (endpoint, None) => Ok(endpoint),
            (endpoint, Some(path)) => {
                Err(EndpointError::Path { url: url.to_owned(), path, server: endpoint.to_string() })
            }
        }
    }

    /// Reads a URL: its server, and its path if it has one. Only loopback is allowed: a load generator
    /// aimed at somebody else's server by a typing error is an attack.
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
        // The servers here listen on IPv4, to which `localhost` may come second.
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

    /// Where to connect.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A request for `path` on a connection that is not used again.
    #[must_use]
    pub fn request(&self, method: &str, path: &str, headers: &[(String, String)], body: Bytes) -> Request<Full<Bytes>> {
        let mut request = self.builder(method, path).header(CONNECTION, "close");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        checked(request.body(Full::new(body)))
    }

    /// A request for `path`, without headers or body, on a connection that is used again.
    #[must_use]
    pub fn request_keep_alive(&self, method: &str, path: &str) -> Request<Full<Bytes>> {
        checked(self.builder(method, path).body(Full::default()))
    }

    fn builder(&self, method: &str, path: &str) -> Builder {
        Request::builder().method(method).uri(path).header(HOST, &self.host)
    }
}

fn checked(built: http::Result<Request<Full<Bytes>>>) -> Request<Full<Bytes>> {
    built.unwrap_or_else(|error| unreachable!("method, path and headers are checked where they are read: {error}"))
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
    fn a_server_with_a_path_is_refused_with_the_right_form() {
        let refused = Endpoint::parse("http://127.0.0.1:8000/base/").unwrap_err().to_string();
        assert!(refused.contains("/base/") && refused.ends_with("as http://127.0.0.1:8000"), "{refused}");
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        assert!(matches!(Endpoint::parse("http://192.0.2.1:80"), Err(EndpointError::NotLoopback(_))));
        assert!(matches!(Endpoint::parse("https://127.0.0.1"), Err(EndpointError::Scheme { .. })));
        assert!(matches!(Endpoint::parse("127.0.0.1:8000"), Err(EndpointError::NotAUrl(_))));
        assert!(matches!(Endpoint::parse("nonsense"), Err(EndpointError::NotAUrl(_))));
    }
}
