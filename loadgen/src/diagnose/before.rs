//! What must be so before any load: the request is answered with a stream, and the checks are cheap.

use std::time::Duration;

use super::error::DiagnoseError;
use super::look::{Looking, look, with_other_encoding};
use super::options::DiagnoseOptions;
use super::seen::{IdleStream, NO_SUCH_PATH};
use crate::http::{Endpoint, bearer};
use crate::numbers::{in_millis, millis};
use crate::traffic::{Request, excerpt};

/// How long one stream is looked at, from its first chunk on.
const LOOK: Duration = Duration::from_secs(4);
/// How long a first chunk is waited for: this share of the budget, and no longer than that.
const FIRST_CHUNK_SHARE: f64 = 0.3;
const FIRST_CHUNK_MAX: Duration = Duration::from_secs(20);
/// A stream that is over sooner cannot be held open.
const LASTS_MIN: Duration = Duration::from_millis(500);
/// A check that takes longer without any load is not cheap: ten times as long would be as long as a probe waits.
const CHEAP: Duration = Duration::from_millis(400);
/// How often a check is tried that is slow: the machine may have been busy.
const TRIES: u32 = 3;

/// Headers, by name.
type Headers = Vec<(String, String)>;

/// Checks that the paths of the probes are answered at once. Returns the headers with which they are.
///
/// # Errors
/// The first that is not.
pub(super) async fn check_probes(options: &DiagnoseOptions) -> Result<Headers, DiagnoseError> {
    let DiagnoseOptions { endpoint, health_path, async_health_path, .. } = options;
    let headers = probe_headers(options).await?;
    check_health(endpoint, health_path, &headers, "--health-path").await?;
    if let Some(path) = async_health_path {
        check_health(endpoint, path, &headers, "--async-health-path").await?;
    }
    let advice = "a diagnosis compares with a path that does not exist, which must be answered at once";
    check_cheap(endpoint, NO_SUCH_PATH, &headers, (advice, false)).await?;
    Ok(headers)
}

/// The headers of the probes: with the key only if a check needs it. A limit of what a key may do would count them.
async fn probe_headers(options: &DiagnoseOptions) -> Result<Headers, DiagnoseError> {
    let DiagnoseOptions { endpoint, health_path, async_health_path, headers, api_key, .. } = options;
    let Some(key) = api_key else { return Ok(headers.clone()) };
    let checks = [(Some(health_path), "--health-path"), (async_health_path.as_ref(), "--async-health-path")];
    for (path, flag) in checks.into_iter().filter_map(|(path, flag)| Some((path?, flag))) {
        let seen = check_cheap(endpoint, path, headers, (&format!("name a cheap check with {flag}"), true)).await?;
        if DiagnoseError::wants_a_key(seen.status) {
            return Ok([headers.clone(), vec![bearer(key)]].concat());
        }
    }
    Ok(headers.clone())
}

async fn check_health(
    endpoint: &Endpoint,
    path: &str,
    headers: &[(String, String)],
    flag: &str,
) -> Result<(), DiagnoseError> {
    let request = format!("GET {path}");
    let seen = check_cheap(endpoint, path, headers, (&format!("name a cheap check with {flag}"), true)).await?;
    if let Some(redirect) = DiagnoseError::redirect(&request, &seen, flag) {
        return Err(redirect);
    }
    let answer = answer(&seen);
    match seen.status {
        _ if seen.is_success() => Ok(()),
        status if DiagnoseError::is_for_now(status) => Err(DiagnoseError::server(
            &request,
            answer,
            format!(
                "a server that is not well without load cannot be diagnosed under one; another check is named with {flag}"
            ),
        )),
        // An answer of the router, or of what checks keys, says nothing about what is behind it.
        status if DiagnoseError::wants_a_key(status) => Err(DiagnoseError::usage(
            &request,
            answer,
            format!("give a key with --api-key or --header, or name a check that needs none with {flag}"),
        )),
        _ => Err(DiagnoseError::usage(&request, answer, format!("name a cheap check with {flag}"))),
    }
}

/// One answer that is complete within [`CHEAP`], in one of some tries. Without one: what to do, and whether the arguments
/// are at fault.
async fn check_cheap(
    endpoint: &Endpoint,
    path: &str,
    headers: &[(String, String)],
    (advice, is_usage): (&str, bool),
) -> Result<IdleStream, DiagnoseError> {
    let (request, asked) = (format!("GET {path}"), Request::get(path).with_headers(headers));
    let limit = CHEAP * 4;
    let (mut fastest, mut last) = (limit, None);
    for _ in 0..TRIES {
        let seen = look(endpoint, &asked, Looking { head: limit, first_chunk: limit, rest: limit }).await;
        let seen = seen.map_err(|error| DiagnoseError::http(&request, error))?;
        match seen {
            Some(seen) if seen.is_complete() && seen.took <= CHEAP => return Ok(seen),
            Some(seen) if seen.is_complete() => {
                fastest = fastest.min(seen.took);
                last = Some(seen);
            }
            not_at_all => {
                last = not_at_all;
                break;
            }
        }
    }
    let fault = |answer: String| DiagnoseError::answer(&request, answer, advice, is_usage);
    Err(match last {
        None => DiagnoseError::NoAnswer { request, within: limit, advice: advice.to_owned() },
        Some(seen) if seen.broke_off => fault(format!("{} with a body that breaks off", seen.status)),
        Some(seen) if !seen.ended => fault(format!("{} with a body that does not end within {limit:?}", seen.status)),
        Some(seen) => fault(format!(
            "{} after {}, and a cheap check takes less than {CHEAP:?}",
            seen.status,
            millis(in_millis(fastest))
        )),
    })
}

/// Looks at one stream, and at the same request for an answer that is compressed, or for one that is not.
///
/// # Errors
/// [`DiagnoseError`] if that is not what a diagnosis can hold open.
pub(super) async fn look_at_stream(options: &DiagnoseOptions) -> Result<IdleStream, DiagnoseError> {
    let DiagnoseOptions { endpoint, request: asked, .. } = options;
    let request = format!("{} {}", asked.method, asked.path);
    let first_chunk = options.budget.mul_f64(FIRST_CHUNK_SHARE).min(FIRST_CHUNK_MAX);
    let seen = look(endpoint, asked, Looking { head: first_chunk, first_chunk, rest: LOOK.min(first_chunk) }).await;
    let seen = seen.map_err(|error| DiagnoseError::http(&request, error))?;
    let no_answer = || DiagnoseError::NoAnswer {
        request: request.clone(),
        within: first_chunk,
        advice: "a server that hangs without load cannot be diagnosed under one".to_owned(),
    };
    let plain = seen.ok_or_else(no_answer)?;
    check_stream(&request, &plain)?;
    if plain.chunks == 0 && !plain.ended {
        return Err(no_answer());
    }
    // As long as it takes to see some chunks.
    let rest = (plain.gap() * 4).clamp(Duration::from_millis(500), LOOK / 2);
    // A layer that compresses may hold back the head as well, until the stream ends.
    let pause = (plain.longest_gap * 2).min(options.budget / 8);
    let looking = Looking { head: first_chunk, first_chunk: plain.first_chunk * 2 + pause + rest, rest };
    // A second request that fails says nothing: the first one may have been the only one that was allowed.
    let other = look(endpoint, &with_other_encoding(asked), looking).await.ok().flatten();
    let is_other = |other: &IdleStream| other.is_success() && other.is_compressed() != plain.is_compressed();
    // The first request of all may have to open connections and load code.
    let again = other.iter().filter(|other| other.is_success() && other.chunks > 0).map(|other| other.first_chunk);
    let first_chunk = again.fold(plain.first_chunk, Duration::min);
    let other_encoding = other.filter(is_other).map(Box::new);
    Ok(IdleStream { first_chunk, other_encoding, ..plain })
}

/// Checks that an answer may be a stream, or one that was collected.
fn check_stream(request: &str, seen: &IdleStream) -> Result<(), DiagnoseError> {
    if let Some(redirect) = DiagnoseError::redirect(request, seen, "--stream-path") {
        return Err(redirect);
    }
    let answer = answer(seen);
    if !seen.is_success() {
        let is_usage = !DiagnoseError::is_for_now(seen.status);
        return Err(DiagnoseError::answer(request, answer, advice(seen), is_usage));
    }
    if seen.broke_off && seen.chunks == 0 {
        return Err(DiagnoseError::server(request, format!("{} and broke off", seen.status), "see the server's log"));
    }
    if seen.chunks == 0 && seen.ended {
        let advice = "a diagnosis needs a request that is answered with a stream; check --method and --stream-path";
        return Err(DiagnoseError::usage(request, format!("{} without a body", seen.status), advice));
    }
    if !seen.streams() && is_page(seen) {
        let advice = "that is a page, not a stream; check --stream-path and --method";
        return Err(DiagnoseError::usage(request, answer, advice));
    }
    if seen.streams() && seen.ended && seen.took < LASTS_MIN {
        let took = millis(in_millis(seen.took));
        let advice = "a diagnosis holds streams open; ask for a longer answer, with --body or --header";
        return Err(DiagnoseError::usage(request, format!("a stream that is over after {took}"), advice));
    }
    Ok(())
}

/// Whether a body begins as a page does. The media type alone says little: it is the default of some frameworks.
fn is_page(seen: &IdleStream) -> bool {
    let text = String::from_utf8_lossy(&seen.beginning).trim_start().to_ascii_lowercase();
    text.starts_with("<!doctype html") || text.starts_with("<html")
}

/// `404 (text/plain: no such page)`
fn answer(seen: &IdleStream) -> String {
    let media_type = Some(seen.header("content-type")).filter(|media_type| !media_type.is_empty());
    match excerpt(media_type, &seen.beginning) {
        text if seen.beginning.is_empty() || text.is_empty() => seen.status.to_string(),
        text => format!("{} ({text})", seen.status),
    }
}

/// What to do about an answer to the request of the streams.
fn advice(seen: &IdleStream) -> String {
    let named = |header: &str, before: &str| match seen.header(header) {
        "" => String::new(),
        value => format!("{before}{}", excerpt(None, value.as_bytes())),
    };
    match seen.status {
        400 | 413 | 415 | 422 => "it does not take this body; give the one it expects with --body and --header".into(),
        status if DiagnoseError::wants_a_key(status) => "give a key with --api-key or --header".into(),
        404 | 410 => "there is no such path; name the one that streams with --stream-path".into(),
        405 => format!("give another --method{}", named("allow", "; it allows ")),
        429 => format!(
            "it limits requests, which would hide every other limit; diagnose it without that{}",
            named("retry-after", "; it asks to wait, Retry-After: ")
        ),
        status if DiagnoseError::is_for_now(status) => "it fails without any load; see its log".into(),
        _ => "check --stream-path, --method, --header, --api-key and --body".into(),
    }
}
