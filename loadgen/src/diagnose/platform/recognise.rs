//! Whether a limit that was found is a number that somebody has as a default.

use super::known::Known;
use super::row::{Limit, Platform, Serving};
use super::table::ALL;
use crate::result::{DiagnosisForm, DiagnosisKind};

/// A default that fits what was found.
#[derive(Debug, Clone, Copy)]
pub struct Recognised {
    /// Whose it is.
    pub platform: &'static Platform,
    /// The limit.
    pub limit: &'static Limit,
    /// What it is by default.
    pub default: u64,
    /// How often the default is contained in what was found: once, or as often as there are processes, each with its
    /// own.
    pub times: u64,
    /// Whether it is the default of the platform that the server is known to run on. Otherwise only the number fits.
    pub is_known: bool,
}

/// The defaults that a limit of this kind and size may be: those of the known platform; if none of it fits, those of
/// client libraries; if none is known, those of all. With several processes of the known platform each has its own, so
/// multiples count too.
#[must_use]
pub fn recognise(
    kind: DiagnosisKind,
    form: Option<DiagnosisForm>,
    found: u64,
    known: Option<&Known>,
    processors: Option<u64>,
) -> Vec<Recognised> {
    let of = |platform: &'static Platform, is_known: bool| {
        let limits = platform.limits.iter().filter(move |limit| limit.leads_to(kind, form));
        limits.flat_map(move |limit| {
            let counts = limit.default.counts(processors).into_iter();
            counts.filter_map(move |default| {
                let times = times(found, default, is_known)?;
                Some(Recognised { platform, limit, default, times, is_known })
            })
        })
    };
    let mut own: Vec<_> =
        known.iter().flat_map(|known| &known.platforms).flat_map(|platform| of(platform, true)).collect();
    if !own.is_empty() {
        // The number itself before a multiple of another.
        own.sort_by_key(|recognised| recognised.times);
        return own;
    }
    let possible = ALL.into_iter().filter(|platform| known.is_none_or(|known| may_use(known, platform)));
    possible.flat_map(|platform| of(platform, false)).collect()
}

/// Whether a server that is known may have this platform as well: anything behind a proxy, else libraries of its language.
fn may_use(known: &Known, platform: &Platform) -> bool {
    let is_hidden = known.platforms.iter().all(|known| known.serving == Serving::Proxy);
    let is_its_language = known.platforms.iter().any(|known| known.language == platform.language);
    is_hidden || (platform.serving == Serving::Client && (is_its_language || platform.language.is_empty()))
}

/// A count is exact up to here; above, one stream more or less can be a health check that had a place.
const EXACT_BELOW: u64 = 20;
/// More processes than this are not taken for an explanation.
const PROCESSES_MAX: u64 = 16;
/// The multiples of smaller numbers are all numbers, and say nothing.
const MULTIPLES_FROM: u64 = 4;

/// How often `default` is contained in `found`, if it fits.
fn times(found: u64, default: u64, is_known: bool) -> Option<u64> {
    let near = |number: u64| found.abs_diff(number) <= u64::from(number >= EXACT_BELOW);
    if near(default) {
        return Some(1);
    }
    if !is_known || default < MULTIPLES_FROM {
        return None;
    }
    (2..=PROCESSES_MAX).find(|times| found == times * default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::platform::{KnownBy, find};
    use crate::result::DiagnosisForm::{ClientPool, GrowingPool, InnerPool, WorkerPerRequest};
    use crate::result::DiagnosisKind::{EventLoopBlocked, ThreadPoolHeld, UpstreamLimit};

    fn on(name: &str) -> Option<Known> {
        Some(Known { platforms: vec![find(name).unwrap()], by: KnownBy::Flag })
    }

    fn names(found: &[Recognised]) -> Vec<(&'static str, u64, u64, bool)> {
        found.iter().map(|it| (it.platform.name, it.default, it.times, it.is_known)).collect()
    }

    #[test]
    fn the_number_of_the_known_platform_is_its_default() {
        let inner = |found, known: &Option<Known>| {
            names(&recognise(ThreadPoolHeld, Some(InnerPool), found, known.as_ref(), Some(2)))
        };
        assert_eq!(inner(40, &on("fastapi")), [("fastapi", 40, 1, true)]);
        assert_eq!(inner(39, &on("fastapi")), [("fastapi", 40, 1, true)], "a health check had a thread");
        assert_eq!(inner(80, &on("fastapi")), [("fastapi", 40, 2, true)], "two processes");
        assert_eq!(inner(6, &on("fastapi"))[0], ("fastapi", 6, 1, true), "min(32, 2 + 4)");
        assert_eq!(inner(256, &on("actix-web"))[0], ("actix-web", 256, 1, true), "512 / 2");
    }

    #[test]
    fn a_number_alone_is_a_hint_and_its_multiples_are_none() {
        let found = recognise(ThreadPoolHeld, Some(InnerPool), 40, None, Some(2));
        assert_eq!(names(&found), [("fastapi", 40, 1, false)]);
        assert!(recognise(ThreadPoolHeld, Some(InnerPool), 80, None, Some(2)).is_empty());
        let hundred = recognise(UpstreamLimit, Some(ClientPool), 100, None, None);
        assert_eq!(hundred.iter().map(|it| it.platform.name).collect::<Vec<_>>(), ["httpx", "aiohttp", "awc"]);
    }

    #[test]
    fn a_known_server_has_client_libraries_of_its_own_language() {
        let clients = |name| {
            let found = recognise(UpstreamLimit, Some(ClientPool), 100, on(name).as_ref(), None);
            found.iter().map(|it| it.platform.name).collect::<Vec<_>>()
        };
        assert_eq!(clients("fastapi"), ["httpx", "aiohttp"]);
        assert_eq!(clients("actix-web"), ["awc"]);
        assert_eq!(clients("nginx"), ["httpx", "aiohttp", "awc"], "what is behind a proxy is not known");
    }

    #[test]
    fn a_number_of_another_kind_does_not_fit() {
        assert!(recognise(ThreadPoolHeld, Some(WorkerPerRequest), 40, None, Some(2)).is_empty());
        assert!(recognise(EventLoopBlocked, None, 40, None, Some(2)).is_empty());
    }

    #[test]
    fn numbers_by_processors_need_their_number() {
        let growing = |processors| {
            recognise(ThreadPoolHeld, Some(GrowingPool), 8, on("dotnet").as_ref(), processors)
                .first()
                .map(|it| it.times)
        };
        assert_eq!((growing(Some(8)), growing(None)), (Some(1), None));
    }

    #[test]
    fn small_defaults_have_no_multiples() {
        let gunicorn = on("gunicorn");
        let found = recognise(ThreadPoolHeld, Some(WorkerPerRequest), 8, gunicorn.as_ref(), Some(2));
        assert!(found.iter().all(|it| !it.is_known), "{found:?}");
    }
}
