//! The URL of a server under test: its parts, and whether it may be one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

use http::Uri;
use http::uri::Authority;

/// Which servers a command may be pointed at. By default: plain http, on this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Also other hosts. A typing error must not turn into an attack on somebody's server, so people ask for it.
    pub other_hosts: bool,
    /// Also https, with certificates that are checked like this.
    pub https: Option<Certificates>,
}

/// Which certificates a server under test may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificates {
    /// Those that this system trusts.
    Trusted,
    /// Any: self-signed, expired, of another host.
    Any,
}

/// A URL that cannot be a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("'{0}' is not a URL with a scheme and a host: expected something like http://127.0.0.1:8000")]
    NotAUrl(String),
    /// A user name or a password in the URL, which is not repeated.
    #[error(
        "the URL has credentials: leave them out, and give them in a header where the command has a flag for one (--header, --api-key)"
    )]
    Credentials,
    /// A port that there is not.
    #[error("'{url}' has the port {port}: expected 1 to 65535")]
    Port {
        /// The URL.
        url: String,
        /// Its port.
        port: String,
    },
    /// A scheme that is not supported.
    #[error("'{url}' has the scheme {scheme}: expected {expected}")]
    Scheme {
        /// The URL.
        url: String,
        /// Its scheme.
        scheme: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// https cannot be used.
    #[error("'{url}': {why}")]
    Tls {
        /// The URL.
        url: String,
        /// The reason, and what to do.
        why: String,
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
    /// The address at which a server listens on all interfaces.
    #[error("'{url}' has the address of all interfaces, at which servers listen: to reach it, use {loopback}")]
    AllInterfaces {
        /// The URL.
        url: String,
        /// The same on loopback.
        loopback: String,
    },
    /// An address of another machine.
    #[error(
        "'{url}' is not on this machine, but at {addr}: load goes to loopback addresses only; reach another machine through a tunnel, such as `ssh -L 8000:127.0.0.1:8000 HOST`"
    )]
    NotLoopback {
        /// The URL.
        url: String,
        /// The address that its host has.
        addr: IpAddr,
    },
}

/// The parts of a URL that may be a target.
pub(super) struct TargetUrl {
    pub(super) https: Option<Certificates>,
    /// Host and port, as in the URL.
    pub(super) authority: Authority,
    /// The host, an IPv6 address without its brackets.
    pub(super) host: String,
    /// Where to connect to, in the order in which to try: at least one.
    pub(super) addresses: Vec<SocketAddr>,
    /// The path and the query, if there are any.
    pub(super) path: Option<String>,
}

impl TargetUrl {
    /// Parses a URL and resolves its host.
    pub(super) fn parse(url: &str, allowed: Allowed) -> Result<Self, EndpointError> {
        let not_a_url = || EndpointError::NotAUrl(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| not_a_url())?;
        let scheme = uri.scheme_str().ok_or_else(not_a_url)?;
        let https = match (scheme, allowed.https) {
            ("http", _) => None,
            ("https", Some(certificates)) => Some(certificates),
            (_, https) => {
                let expected = match https {
                    Some(_) => "http or https",
                    None => "http (a TLS proxy on this machine can be in between)",
                };
                return Err(EndpointError::Scheme { url: url.into(), scheme: scheme.into(), expected });
            }
        };
        let authority = uri.authority().cloned().ok_or_else(not_a_url)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::Credentials);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let default_port = if https.is_some() { 443 } else { 80 };
        let addresses = resolve(url, &host, port(url, &authority)?.unwrap_or(default_port))?;
        check_hosts(url, &authority, &addresses, allowed)?;
        let path = uri.path_and_query().map(|path| path.as_str()).filter(|path| *path != "/" && !path.is_empty());
        Ok(TargetUrl { https, host, addresses, path: path.map(str::to_owned), authority })
    }
}

/// The port of the URL; `None` if it has none.
fn port(url: &str, authority: &Authority) -> Result<Option<u16>, EndpointError> {
    let after_host = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    let port = after_host.trim_start_matches(':');
    match port.parse() {
        _ if port.is_empty() => Ok(None),
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => Err(EndpointError::Port { url: url.to_owned(), port: port.to_owned() }),
    }
}

fn resolve(url: &str, host: &str, port: u16) -> Result<Vec<SocketAddr>, EndpointError> {
    let unresolved = || EndpointError::Unresolved(url.to_owned());
    let mut addresses: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => (host, port).to_socket_addrs().map_err(|_| unresolved())?.collect(),
    };
    // The servers here listen on IPv4, which may be the second address of `localhost`.
    addresses.sort_by_key(|addr| !addr.is_ipv4());
    if addresses.is_empty() { Err(unresolved()) } else { Ok(addresses) }
}

/// All addresses of the host must be allowed: nobody chose which one is used.
fn check_hosts(
    url: &str,
    authority: &Authority,
    addresses: &[SocketAddr],
    allowed: Allowed,
) -> Result<(), EndpointError> {
    if addresses.iter().any(|addr| addr.ip().is_unspecified()) {
        let loopback = url.replacen(authority.host(), &Ipv4Addr::LOCALHOST.to_string(), 1);
        return Err(EndpointError::AllInterfaces { url: url.to_owned(), loopback });
    }
    let other = addresses.iter().map(|addr| addr.ip().to_canonical()).find(|ip| !ip.is_loopback());
    match other {
        Some(addr) if !allowed.other_hosts => Err(EndpointError::NotLoopback { url: url.to_owned(), addr }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(url: &str) -> EndpointError {
        TargetUrl::parse(url, Allowed::default()).err().unwrap_or_else(|| panic!("{url} is accepted"))
    }

    #[test]
    fn urls_are_rejected_with_the_reason() {
        assert!(matches!(rejected("http://192.0.2.1:80"), EndpointError::NotLoopback { .. }));
        assert!(matches!(rejected("https://127.0.0.1"), EndpointError::Scheme { .. }));
        for url in ["127.0.0.1:8000", "localhost:8000", "nonsense", "http://", "http:///x", ""] {
            assert!(matches!(rejected(url), EndpointError::NotAUrl(_)), "{url}");
        }
        for url in ["http://127.0.0.1:99999", "http://127.0.0.1:0", "http://[::1]:70000/x"] {
            assert!(matches!(rejected(url), EndpointError::Port { .. }), "{url}");
        }
    }

    #[test]
    fn credentials_are_rejected_and_not_repeated() {
        let said = rejected("http://user:hunter2@127.0.0.1:8000").to_string();
        assert!(said.contains("--api-key") && !said.contains("hunter2"), "{said}");
    }

    #[test]
    fn the_address_that_a_server_listens_at_is_rejected_with_the_one_to_use() {
        assert!(rejected("http://0.0.0.0:8000/x").to_string().ends_with("use http://127.0.0.1:8000/x"));
        assert!(rejected("http://[::]:8000").to_string().ends_with("use http://127.0.0.1:8000"));
    }

    #[test]
    fn other_hosts_and_https_are_targets_only_if_asked_for() {
        let (other, secure) = ("http://192.0.2.1:81/x", "https://127.0.0.1/x");
        let other = TargetUrl::parse(other, Allowed { other_hosts: true, ..Allowed::default() }).ok().unwrap();
        assert_eq!((other.addresses[0].port(), other.path.as_deref()), (81, Some("/x")));
        let certificates = Some(Certificates::Trusted);
        let secure = TargetUrl::parse(secure, Allowed { https: certificates, ..Allowed::default() }).ok().unwrap();
        assert_eq!((secure.addresses[0].port(), secure.https), (443, certificates));
        let mapped = TargetUrl::parse("http://[::ffff:127.0.0.1]:1", Allowed::default());
        assert!(mapped.is_ok(), "an IPv4 address in the form of IPv6");
    }

    #[test]
    fn one_address_on_another_machine_is_enough_to_reject_a_host() {
        let (url, authority) = ("http://h:1", Authority::from_static("h:1"));
        let addresses = ["127.0.0.1:1", "192.0.2.1:1"].map(|addr| addr.parse().unwrap());
        let checked = |addresses| check_hosts(url, &authority, addresses, Allowed::default());
        assert!(checked(&addresses[..1]).is_ok());
        assert!(matches!(checked(&addresses), Err(EndpointError::NotLoopback { .. })));
    }
}
