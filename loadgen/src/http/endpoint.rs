//! The address of a server under test, and requests to it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::request::Builder;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{CONNECTION, HOST};

use super::target_url::{Allowed, EndpointError, TargetUrl};
use super::tls::Tls;

/// A server under test: `http://HOST:PORT`.
#[derive(Clone)]
pub struct Endpoint {
    addr: SocketAddr,
    host: String,
    tls: Option<Tls>,
}

impl Endpoint {
    /// Parses the URL of a server on this machine, without a path.
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
        let (mut endpoints, path) = Self::each_address(url, Allowed::default())?;
        Ok((endpoints.swap_remove(0), path))
    }

    /// Parses a URL into its path, if it has one, and its server: one for each address of the host, in the order in
    /// which to try them, at least one.
    ///
    /// # Errors
    /// [`EndpointError`], which names the URL and what is allowed.
    pub fn each_address(url: &str, allowed: Allowed) -> Result<(Vec<Self>, Option<String>), EndpointError> {
        let TargetUrl { https, authority, host, addresses, path } = TargetUrl::parse(url, allowed)?;
        let no_tls = |why| EndpointError::Tls { url: url.to_owned(), why };
        let tls = https.map(|certificates| Tls::new(&host, certificates)).transpose().map_err(no_tls)?;
        let endpoint = |addr| Endpoint { addr, host: authority.to_string(), tls: tls.clone() };
        Ok((addresses.into_iter().map(endpoint).collect(), path))
    }

    /// A server at `addr`, on plain http.
    #[must_use]
    pub fn at(addr: SocketAddr) -> Self {
        Endpoint { addr, host: addr.to_string(), tls: None }
    }

    /// The address to connect to.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Whether it is on this machine, by a loopback address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.addr.ip().to_canonical().is_loopback()
    }

    pub(super) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// A request for `path` that closes its connection. A `Host` among `headers` is sent in place of its own.
    #[must_use]
    pub fn request(&self, method: &str, path: &str, headers: &[(String, String)], body: Bytes) -> Request<Full<Bytes>> {
        checked(self.builder(method, path, headers).header(CONNECTION, "close").body(Full::new(body)))
    }

    /// The same without a body, and it keeps its connection open.
    #[must_use]
    pub fn request_keep_alive(&self, method: &str, path: &str, headers: &[(String, String)]) -> Request<Full<Bytes>> {
        checked(self.builder(method, path, headers).body(Full::default()))
    }

    fn builder(&self, method: &str, path: &str, headers: &[(String, String)]) -> Builder {
        let request = Request::builder().method(method).uri(path);
        let has_host = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(HOST.as_str()));
        let request = if has_host { request } else { request.header(HOST, &self.host) };
        headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }
}

fn checked(built: http::Result<Request<Full<Bytes>>>) -> Request<Full<Bytes>> {
    built.unwrap_or_else(|error| unreachable!("method, path and headers have been validated: {error}"))
}

/// The same server, however its certificate is checked.
impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        (self.addr, &self.host, self.tls.is_some()) == (other.addr, &other.host, other.tls.is_some())
    }
}

impl Eq for Endpoint {}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self} at {}", self.addr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_urls_are_targets() {
        for url in ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:8000"] {
            assert!(Endpoint::parse(url).is_ok_and(|endpoint| endpoint.is_loopback()), "{url}");
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
    fn a_host_of_the_users_is_sent_alone() {
        let endpoint = Endpoint::parse("http://127.0.0.1:8000").unwrap();
        let hosts = |headers: &[(String, String)]| {
            let request = endpoint.request("GET", "/", headers, Bytes::new());
            request.headers().get_all(HOST).iter().map(|host| host.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(hosts(&[]), ["127.0.0.1:8000"]);
        assert_eq!(hosts(&[("host".to_owned(), "api.example".to_owned())]), ["api.example"]);
    }

    #[test]
    fn https_is_in_the_text_of_a_server() {
        use super::super::target_url::Certificates;
        let parsed = Endpoint::each_address(
            "https://127.0.0.1:8443/x",
            Allowed { https: Some(Certificates::Any), ..Allowed::default() },
        );
        match parsed {
            Ok((endpoints, _)) => assert_eq!(endpoints[0].to_string(), "https://127.0.0.1:8443"),
            Err(error) => assert!(!cfg!(feature = "tls") && error.to_string().contains("has no TLS"), "{error}"),
        }
    }
}
