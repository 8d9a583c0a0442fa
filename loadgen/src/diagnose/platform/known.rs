//! Which platform a server runs on: what the user says, or else what its headers say. Most servers send no such header,
//! and then nothing is known.

use std::collections::BTreeMap;

use super::row::{Platform, Serving};
use super::table::ALL;

/// The platforms that it can be, and how that is known.
#[derive(Debug, Clone)]
pub struct Known {
    /// One, or several that send the same header.
    pub platforms: Vec<&'static Platform>,
    /// How it is known.
    pub by: KnownBy,
}

/// How a platform is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownBy {
    /// `--platform`.
    Flag,
    /// A header of the answer: `server: uvicorn`.
    Header(String),
}

impl Known {
    /// How it takes requests, if all that it can be do so in the same way.
    #[must_use]
    pub fn serving(&self) -> Option<Serving> {
        let servings = self.platforms.iter().map(|platform| platform.serving);
        let mut servings = servings.filter(|serving| *serving != Serving::Either);
        let first = servings.next()?;
        servings.all(|serving| serving == first).then_some(first)
    }

    /// How it is known: `--platform`, ``header `server: uvicorn` ``.
    #[must_use]
    pub fn by(&self) -> String {
        match &self.by {
            KnownBy::Flag => "--platform".to_owned(),
            KnownBy::Header(header) => format!("header `{header}`"),
        }
    }
}

/// What is known of the platform of a server with these headers, whose names are in lower case.
#[must_use]
pub fn known(flag: Option<&'static Platform>, headers: &BTreeMap<String, String>) -> Option<Known> {
    if let Some(platform) = flag {
        return Some(Known { platforms: vec![platform], by: KnownBy::Flag });
    }
    // A server behind a proxy is known by what it adds itself; `server` is the proxy's.
    ["x-powered-by", "x-runtime", "server"].into_iter().find_map(|name| {
        let value = headers.get(name)?;
        let begins = value.to_lowercase();
        let sends =
            |platform: &&Platform| platform.signs.iter().any(|(of, sign)| *of == name && begins.starts_with(sign));
        let platforms: Vec<_> = ALL.into_iter().filter(sends).collect();
        let by = KnownBy::Header(format!("{name}: {}", short(value)));
        (!platforms.is_empty()).then_some(Known { platforms, by })
    })
}

/// The beginning of a header's value, which anybody may have written.
fn short(value: &str) -> String {
    const CHARS_MAX: usize = 40;
    value.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::platform::find;

    fn of(headers: &[(&str, &str)]) -> Option<(Vec<&'static str>, String)> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let known = known(None, &headers)?;
        Some((known.platforms.iter().map(|platform| platform.name).collect(), known.by()))
    }

    #[test]
    fn headers_name_the_platform() {
        for (name, value, platforms) in [
            ("server", "uvicorn", vec!["fastapi", "django"]),
            ("server", "hypercorn-h11", vec!["fastapi"]),
            ("server", "daphne", vec!["django", "daphne"]),
            ("server", "WSGIServer/0.2 CPython/3.12.3", vec!["django"]),
            ("server", "gunicorn", vec!["gunicorn"]),
            ("server", "gunicorn/20.0.4", vec!["gunicorn"]),
            ("server", "waitress", vec!["waitress"]),
            ("server", "Werkzeug/3.0.1 Python/3.12.3", vec!["flask"]),
            ("server", "BaseHTTP/0.6 Python/3.12.3", vec!["http.server"]),
            ("server", "Kestrel", vec!["dotnet"]),
            ("server", "Jetty(12.0.5)", vec!["jetty"]),
            ("server", "Apache/2.4.58 (Debian)", vec!["apache"]),
            ("server", "nginx/1.24.0", vec!["nginx"]),
            ("server", "Rocket", vec!["rocket"]),
            ("x-powered-by", "Express", vec!["node"]),
            ("x-powered-by", "PHP/8.3.6", vec!["php-fpm"]),
            ("x-powered-by", "Phusion Passenger(R) 6.0.20", vec!["passenger"]),
            ("x-runtime", "0.012345", vec!["puma", "unicorn"]),
        ] {
            assert_eq!(of(&[(name, value)]), Some((platforms, format!("header `{name}: {value}`"))));
        }
    }

    #[test]
    fn nothing_is_guessed_from_unknown_headers_or_from_none() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("server", "acme"), ("content-type", "text/event-stream")]), None);
        assert_eq!(of(&[("x-server", "uvicorn"), ("server", "my-uvicorn")]), None);
    }

    #[test]
    fn a_server_behind_a_proxy_is_known_by_its_own_header() {
        let (platforms, _) = of(&[("server", "nginx"), ("x-powered-by", "Express")]).unwrap();
        assert_eq!(platforms, ["node"]);
    }

    #[test]
    fn what_the_user_says_comes_before_headers() {
        let headers = BTreeMap::from([("server".to_owned(), "uvicorn".to_owned())]);
        let known = known(find("spring"), &headers).unwrap();
        let names: Vec<_> = known.platforms.iter().map(|platform| platform.name).collect();
        assert_eq!((names, known.by().as_str()), (vec!["spring"], "--platform"));
    }

    #[test]
    fn it_is_known_how_requests_are_taken_if_all_candidates_agree() {
        let serving = |value: &str| {
            let headers = BTreeMap::from([("server".to_owned(), value.to_owned())]);
            known(None, &headers).unwrap().serving()
        };
        assert_eq!(serving("uvicorn"), Some(Serving::EventLoop));
        assert_eq!(serving("daphne"), Some(Serving::EventLoop));
        assert_eq!(serving("gunicorn"), Some(Serving::Workers));
        assert_eq!(serving("WSGIServer/0.2 CPython/3.12.3"), None);
        assert_eq!(serving("nginx"), Some(Serving::Proxy));
    }

    #[test]
    fn a_long_header_is_cut_short() {
        let (_, by) = of(&[("server", &format!("uvicorn{}\u{7}", "x".repeat(500)))]).unwrap();
        assert!(by.len() < 70 && !by.contains('\u{7}'), "{by}");
    }
}
