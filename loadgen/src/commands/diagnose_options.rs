//! What `diagnose` is asked to do: of which server, with which request, and within which bounds.

use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::CommandError;
use super::preflight::check_descriptors;
use super::target::{STREAM_PATH, one_path};
use crate::cli::DiagnoseArgs;
use crate::diagnose::{DiagnoseOptions, probes_waiting_max};
use crate::http::{self, Allowed, Certificates, Endpoint, EndpointError, HttpError};
use crate::measure::is_running;
use crate::numbers::{in_millis, millis};
use crate::traffic::{CHAT, ExpectedAnswer, Request};

/// Most streams that are opened on this machine, unless asked for.
const STREAMS_MAX: u32 = 1_000;
/// The same on another machine.
const STREAMS_MAX_ELSEWHERE: u32 = 200;
/// The longest time to resolve the name of the server, and to connect to one of its addresses.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads the arguments, and finds the server.
///
/// # Errors
/// [`CommandError`] if they cannot be meant, or nothing answers there.
pub(super) async fn options(args: &DiagnoseArgs) -> Result<DiagnoseOptions, CommandError> {
    let began = Instant::now();
    let deadline = began + args.budget;
    check_pid(args)?;
    let (addresses, in_url) = resolve(args, CONNECT_TIMEOUT.min(args.budget)).await?;
    let path = one_path(&args.url, &addresses[0], in_url, "--stream-path", args.stream_path.as_deref(), STREAM_PATH)?;
    let request = request(args, path)?;
    check_paths(args, &request)?;
    let is_here = addresses.iter().all(Endpoint::is_loopback);
    let streams_max = args.max_streams.unwrap_or(if is_here { STREAMS_MAX } else { STREAMS_MAX_ELSEWHERE });
    let options = DiagnoseOptions {
        endpoint: reachable(&args.url, addresses, deadline).await?,
        request,
        headers: args.headers.clone(),
        api_key: args.api_key.clone(),
        health_path: args.health_path.clone(),
        async_health_path: args.async_health_path.clone(),
        pid: args.pid,
        platform: args.platform,
        streams_max: streams_max.into(),
        budget: args.budget.saturating_sub(began.elapsed()),
    };
    check_descriptors(probes_waiting_max(&options), options.streams_max)?;
    Ok(options)
}

fn check_pid(args: &DiagnoseArgs) -> Result<(), CommandError> {
    match args.pid {
        Some(pid) if !is_running(pid) => Err(CommandError::Usage(format!("--pid {pid}: there is no such process"))),
        _ => Ok(()),
    }
}

/// The addresses of the server, and the path in its URL.
async fn resolve(args: &DiagnoseArgs, limit: Duration) -> Result<(Vec<Endpoint>, Option<String>), CommandError> {
    let certificates = if args.insecure { Certificates::Any } else { Certificates::Trusted };
    let allowed = Allowed { other_hosts: args.i_own_this_server, https: Some(certificates) };
    let url = args.url.clone();
    // The resolver of the system blocks, for longer than anybody would wait.
    let resolving = spawn_blocking(move || Endpoint::each_address(&url, allowed));
    let resolved = match timeout(limit, resolving).await {
        Ok(Ok(resolved)) => resolved,
        // A panic, which is on stderr, or a time-out.
        Ok(Err(_)) | Err(_) => Err(EndpointError::Unresolved(args.url.clone())),
    };
    resolved.map_err(|error| match error {
        EndpointError::NotLoopback { url, addr } => CommandError::Usage(format!(
            "--url {url} is not on this machine, but at {addr}, and a diagnosis loads a server until it no longer \
             answers: if it is yours, say so with --i-own-this-server; it then opens {} streams at most, unless \
             --max-streams says otherwise",
            STREAMS_MAX_ELSEWHERE
        )),
        other => other.into(),
    })
}

/// The first address that a connection can be made to, until `deadline`.
async fn reachable(url: &str, addresses: Vec<Endpoint>, deadline: Instant) -> Result<Endpoint, CommandError> {
    let (several, mut why) = (addresses.len() > 1, Vec::new());
    for endpoint in addresses {
        let limit = CONNECT_TIMEOUT.min(deadline.saturating_duration_since(Instant::now()));
        if limit.is_zero() {
            why.push(format!("{}: not tried within the --budget", endpoint.addr()));
            continue;
        }
        let failure = match timeout(limit, http::reach(&endpoint)).await {
            Ok(Ok(())) => return Ok(endpoint),
            Ok(Err(error)) => unreachable_because(&error),
            Err(_) => format!("no connection within {}", millis(in_millis(limit))),
        };
        why.push(if several { format!("{}: {failure}", endpoint.addr()) } else { failure });
    }
    Err(CommandError::NoServer { url: url.to_owned(), why: why.join("; ") })
}

fn unreachable_because(error: &HttpError) -> String {
    match error {
        HttpError::Connect(error) => error.to_string(),
        HttpError::Tls(cause) if cause.to_string().contains("certificate") => {
            format!("{error} (--insecure accepts any certificate)")
        }
        HttpError::Tls(_) => format!("{error} (does it have TLS there? Otherwise it is http://)"),
        other => other.to_string(),
    }
}

fn request(args: &DiagnoseArgs, path: String) -> Result<Request, CommandError> {
    let has_no_body = ["GET", "HEAD", "DELETE"].contains(&&*args.method);
    let mut request = match &args.body {
        None if has_no_body => Request { answer: ExpectedAnswer::Stream, ..Request::get(path) },
        body => Request::post(path, body.clone().unwrap_or_else(|| CHAT.to_owned()), ExpectedAnswer::Stream),
    };
    request.method.clone_from(&args.method);
    let request = request.with_headers(&args.headers);
    let given = |name: &str| args.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    match &args.api_key {
        Some(_) if given("authorization") => Err(CommandError::Usage(
            "--api-key and --header Authorization are both given, and are the same header".to_owned(),
        )),
        Some(key) => Ok(request.key(key)),
        None => Ok(request),
    }
}

/// A probe of what is loaded, or of the same path twice, would show nothing.
fn check_paths(args: &DiagnoseArgs, request: &Request) -> Result<(), CommandError> {
    let health = &args.health_path;
    if request.method == "GET" && request.path == *health {
        return Err(CommandError::Usage(format!(
            "--health-path {health} is the path of the streams: name a cheap check with it"
        )));
    }
    if args.async_health_path.as_ref() == Some(health) {
        return Err(CommandError::Usage(format!(
            "--async-health-path {health} is --health-path too: leave it out, or name a check that needs no pool"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn asked(more: &[&str]) -> Result<Request, CommandError> {
        let args = ["loadgen", "diagnose", "--url", "http://127.0.0.1:1"];
        let Command::Diagnose(args) = Cli::try_parse_from([&args[..], more].concat()).unwrap().command else {
            unreachable!("it is diagnose")
        };
        request(&args, "/x".to_owned())
    }

    fn values<'a>(request: &'a Request, name: &str) -> Vec<&'a str> {
        request.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }

    #[test]
    fn a_get_has_a_body_only_if_one_is_given() {
        let get = asked(&["--method", "GET"]).unwrap();
        assert!(get.body.is_empty() && get.headers.is_empty() && get.method == "GET", "{get:?}");
        let with = asked(&["--method", "GET", "--body", "x"]).unwrap();
        assert_eq!(&with.body[..], b"x");
        assert_eq!(&asked(&[]).unwrap().body[..], CHAT.as_bytes());
    }

    #[test]
    fn given_headers_replace_the_defaults_and_may_repeat() {
        let text = asked(&["--body", "no JSON", "--header", "Content-Type: text/plain"]).unwrap();
        assert_eq!(values(&text, "content-type"), ["text/plain"]);
        let twice = asked(&["--header", "X-A: 1", "--header", "x-a: 2"]).unwrap();
        assert_eq!(values(&twice, "x-a"), ["1", "2"]);
        assert_eq!(values(&twice, "content-type"), ["application/json"]);
    }

    #[test]
    fn a_key_and_an_authorization_header_contradict_each_other() {
        let said = asked(&["--api-key", "k", "--header", "authorization: Bearer x"]).unwrap_err().to_string();
        assert!(said.contains("--api-key") && said.contains("--header"), "{said}");
        assert_eq!(values(&asked(&["--api-key", "k"]).unwrap(), "authorization"), ["Bearer k"]);
    }

    #[tokio::test]
    async fn no_address_is_tried_when_the_budget_is_over() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let addresses = || Endpoint::each_address(&url, Allowed::default()).unwrap().0;
        let error = reachable(&url, addresses(), Instant::now()).await.unwrap_err().to_string();
        assert!(error.contains("not tried within the --budget"), "{error}");
        assert!(reachable(&url, addresses(), Instant::now() + CONNECT_TIMEOUT).await.is_ok());
    }
}
