//! Which requests may change a running program, or see what only its operator should: those from this machine, and not
//! those of a web page from elsewhere.
//!
//! A web page open in a browser on this machine can send requests to loopback addresses. Two rules keep it out. A page
//! of another origin identifies itself (`Origin`, `Sec-Fetch-Site`) and cannot send JSON without a preflight request. A
//! page whose name resolves to this machine (DNS rebinding) has the same origin, but its name is in `Host`.

use std::net::{IpAddr, Ipv6Addr};
use std::str::from_utf8;

use crate::error::RequestError;

/// Rejects a request to change something that may come from a web page. `header` returns the value of a header by its
/// lower-case name; `has_body` is whether the request has a body.
///
/// # Errors
/// [`RequestError::NotLocal`] for a `Host` that is not this machine and for a page of another origin;
/// [`RequestError::UnsupportedMediaType`] for a body that is not JSON. Without a body the content type may be missing or
/// that of a form, which curl and Python's urllib add to an empty body.
pub fn check<'a>(header: impl Fn(&str) -> Option<&'a [u8]>, has_body: bool) -> Result<(), RequestError> {
    check_names(&header)?;
    check_site(&header)?;
    let sent = header("content-type");
    let media_type = sent.map(|sent| sent.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii());
    let is = |name: &str| media_type.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
    let empty = !has_body && (sent.is_none() || is("application/x-www-form-urlencoded"));
    if empty || is("application/json") {
        return Ok(());
    }
    Err(RequestError::UnsupportedMediaType { found: sent.map_or_else(|| "none".to_owned(), shorten) })
}

/// Rejects a request to read something that may come from a web page of elsewhere. A person who follows a link to here
/// is no such page, wherever the link was. `header` is as for [`check`].
///
/// # Errors
/// [`RequestError::NotLocal`], as for [`check`].
pub fn check_read<'a>(header: impl Fn(&str) -> Option<&'a [u8]>) -> Result<(), RequestError> {
    check_names(&header)?;
    let is = |name: &str, value: &str| header(name).is_some_and(|sent| sent.eq_ignore_ascii_case(value.as_bytes()));
    // A frame navigates as well, and is part of the page around it.
    let followed_link = is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document");
    if followed_link { Ok(()) } else { check_site(&header) }
}

/// Checks the names of this server and of the page.
fn check_names<'a>(header: &impl Fn(&str) -> Option<&'a [u8]>) -> Result<(), RequestError> {
    if let Some(host) = header("host").filter(|host| !from_utf8(host).is_ok_and(is_this_machine)) {
        return reject("Host", host);
    }
    match header("origin").filter(|origin| !from_utf8(origin).is_ok_and(is_page_here)) {
        Some(origin) => reject("Origin", origin),
        None => Ok(()),
    }
}

/// Checks what the browser says about the page.
fn check_site<'a>(header: &impl Fn(&str) -> Option<&'a [u8]>) -> Result<(), RequestError> {
    match header("sec-fetch-site").filter(|site| site.eq_ignore_ascii_case(b"cross-site")) {
        Some(site) => reject("Sec-Fetch-Site", site),
        None => Ok(()),
    }
}

fn reject(header: &'static str, found: &[u8]) -> Result<(), RequestError> {
    Err(RequestError::NotLocal { header, found: shorten(found) })
}

/// `http://HOST:PORT` with a loopback host. A page without an origin sends `null`.
fn is_page_here(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(is_this_machine)
}

/// Whether `HOST` or `HOST:PORT` is a loopback address or one of the names that never leave the machine
/// (RFC 6761, 6.3).
fn is_this_machine(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            let loopback = address.parse().is_ok_and(|address: Ipv6Addr| address.to_canonical().is_loopback());
            return loopback && is_port(port);
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let local = name == "localhost" || name.ends_with(".localhost");
    is_port(port) && (local || name.parse().is_ok_and(|address: IpAddr| address.is_loopback()))
}

/// Nothing, or `:PORT`.
fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

fn shorten(value: &[u8]) -> String {
    String::from_utf8_lossy(value).chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: (&str, &str) = ("content-type", "application/json");
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

    fn checked(headers: &[(&str, &'static str)], has_body: bool) -> Result<(), u16> {
        let header = |name: &str| headers.iter().find(|(sent, _)| *sent == name).map(|(_, value)| value.as_bytes());
        check(header, has_body).map_err(|error| error.status())
    }

    #[test]
    fn only_hosts_of_this_machine_are_accepted() {
        let here = [
            "localhost",
            "LOCALHOST:9000",
            "localhost.",
            "a.localhost:1",
            "127.0.0.1",
            "127.0.0.1:9000",
            "127.9.9.9",
            "[::1]",
            "[::1]:9000",
            "[::ffff:127.0.0.1]:80",
        ];
        for host in here {
            assert_eq!(checked(&[("host", host), JSON], true), Ok(()), "{host}");
        }
        let elsewhere = [
            "evil.example",
            "evil.example:9000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "10.0.0.1:9000",
            "0.0.0.0:9000",
            "[::2]:1",
            "[::1]evil",
            "[::1",
            "::1:9000",
            "127.0.0.1:",
            "127.0.0.1:x",
            "localhost:1:2",
            "user@localhost",
            "",
            " ",
        ];
        for host in elsewhere {
            assert_eq!(checked(&[("host", host), JSON], true), Err(403), "{host}");
        }
        assert_eq!(checked(&[JSON], true), Ok(()), "HTTP/1.0 has no Host");
    }

    #[test]
    fn only_pages_of_this_machine_are_accepted() {
        for origin in ["http://localhost:7000", "https://127.0.0.1", "http://[::1]:7000"] {
            assert_eq!(checked(&[("origin", origin), ("sec-fetch-site", "same-site"), JSON], true), Ok(()), "{origin}");
        }
        for origin in ["https://evil.example", "null", "", "file://", "http://localhost.evil.example", "localhost"] {
            assert_eq!(checked(&[("host", "127.0.0.1"), ("origin", origin), JSON], true), Err(403), "{origin}");
        }
        assert_eq!(checked(&[("sec-fetch-site", "cross-site"), JSON], true), Err(403));
        assert_eq!(checked(&[("sec-fetch-site", "none"), JSON], true), Ok(()), "typed by a person");
    }

    #[test]
    fn a_body_must_be_json_and_an_empty_one_needs_no_type() {
        for (headers, with_body, without) in [
            (&[JSON][..], Ok(()), Ok(())),
            (&[("content-type", "Application/JSON; charset=utf-8")], Ok(()), Ok(())),
            (&[], Err(415), Ok(())),
            (&[FORM], Err(415), Ok(())),
            (&[("content-type", "text/plain")], Err(415), Err(415)),
            (&[("content-type", "multipart/form-data; boundary=x")], Err(415), Err(415)),
            (&[("content-type", "text/plain; application/json")], Err(415), Err(415)),
            (&[("content-type", "")], Err(415), Err(415)),
        ] {
            assert_eq!(checked(headers, true), with_body, "{headers:?} with a body");
            assert_eq!(checked(headers, false), without, "{headers:?} without");
        }
    }

    #[test]
    fn what_is_read_has_the_same_rules_except_for_its_type_and_for_links() {
        let read = |headers: &[(&str, &'static str)]| {
            let header = |name: &str| headers.iter().find(|(sent, _)| *sent == name).map(|(_, value)| value.as_bytes());
            check_read(header).map_err(|error| error.status())
        };
        let (here, link) = (("host", "127.0.0.1:7000"), ("sec-fetch-mode", "navigate"));
        let (elsewhere, document, frame) =
            (("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document"), ("sec-fetch-dest", "iframe"));
        assert_eq!(read(&[here]), Ok(()), "curl");
        assert_eq!(read(&[here, ("origin", "http://127.0.0.1:7000"), ("sec-fetch-site", "same-origin")]), Ok(()));
        assert_eq!(read(&[here, link, document, elsewhere]), Ok(()), "a link was followed");
        assert_eq!(read(&[here, link, frame, elsewhere]), Err(403));
        assert_eq!(read(&[here, elsewhere]), Err(403), "an image or a script of another page");
        assert_eq!(read(&[here, ("origin", "https://evil.example")]), Err(403));
        assert_eq!(read(&[("host", "evil.example:7000")]), Err(403));
        assert_eq!(read(&[("host", "evil.example:7000"), link, document]), Err(403), "DNS rebinding");
    }

    #[test]
    fn the_error_names_the_header_its_value_and_what_is_allowed() {
        let error = check(|name| (name == "host").then_some(&b"evil.example"[..]), false).unwrap_err();
        let message = error.body().error.message;
        assert!(message.contains("Host is 'evil.example'") && message.contains("localhost"), "{message}");
    }
}
