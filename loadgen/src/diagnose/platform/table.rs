//! The table: all platforms, and the tests that hold its rows to their form.

use super::row::Platform;
use super::{clients, compiled, jvm, proxies, python, scripting};

/// All platforms: servers by language, what stands in front of them, and the libraries with which they make calls.
pub static ALL: [&Platform; 34] = [
    &python::FASTAPI,
    &python::DJANGO,
    &python::DAPHNE,
    &python::FLASK,
    &python::GUNICORN,
    &python::WAITRESS,
    &python::UWSGI,
    &python::HTTP_SERVER,
    &scripting::NODE,
    &jvm::SPRING,
    &jvm::WEBFLUX,
    &jvm::JETTY,
    &jvm::UNDERTOW,
    &jvm::QUARKUS,
    &jvm::NETTY,
    &compiled::DOTNET,
    &compiled::GO,
    &compiled::AXUM,
    &compiled::ACTIX,
    &compiled::ROCKET,
    &scripting::PHP_FPM,
    &scripting::PUMA,
    &scripting::UNICORN,
    &scripting::PASSENGER,
    &proxies::APACHE,
    &proxies::NGINX,
    &clients::HTTPX,
    &clients::AIOHTTP,
    &clients::OPENAI,
    &clients::AWC,
    &clients::REACTOR_NETTY,
    &clients::SQLALCHEMY,
    &clients::HIKARI,
    &clients::HTTP2,
];

/// The platform of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Platform> {
    ALL.into_iter().find(|platform| platform.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_can_be_typed() {
        let names: BTreeSet<_> = ALL.iter().map(|platform| platform.name).collect();
        assert_eq!(names.len(), ALL.len());
        for name in names {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c)), "{name}");
            assert_eq!(find(name).map(|platform| platform.name), Some(name));
        }
        assert!(find("cobol").is_none());
    }

    #[test]
    fn everything_has_its_source() {
        let is_source = |source: &str| source.starts_with("https://") || (source.contains('/') && source.contains(' '));
        for platform in ALL {
            assert!(is_source(platform.source), "{}: {}", platform.name, platform.source);
            for limit in platform.limits {
                assert!(is_source(limit.source), "{}: {}", platform.name, limit.source);
                for text in [limit.what, limit.setting, limit.larger, limit.fix] {
                    assert!(!text.is_empty() && !text.ends_with('.'), "{}: {text}", platform.name);
                }
            }
        }
    }

    #[test]
    fn headers_are_written_as_they_are_compared() {
        for (name, value) in ALL.iter().flat_map(|platform| platform.signs) {
            assert_eq!((name.to_lowercase(), value.to_lowercase()), ((*name).to_owned(), (*value).to_owned()));
        }
    }

    #[test]
    fn every_lab_that_is_named_exists() {
        for lab in ALL.iter().flat_map(|platform| platform.limits).filter_map(|limit| limit.lab) {
            crate::labs::find(lab).unwrap();
        }
    }
}
