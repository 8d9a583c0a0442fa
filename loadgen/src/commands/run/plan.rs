//! What a run does, as its flags say it.

use std::sync::Arc;
use std::time::Duration;

use super::super::CommandError;
use super::super::target::{STREAM_PATH, one_path, probe_kinds};
use crate::cli::RunArgs;
use crate::http::{Allowed, Endpoint, EndpointError};
use crate::measure::{ProbeKind, ProbePlan};
use crate::result::RequestObjective;
use crate::traffic::{BodyTemplate, CHAT, Client, Exchange, ExpectedAnswer, LoadPlan, Request, Schedule};
use crate::verdict::Objective;

/// Default of `--concurrency`, from the original script.
const CONCURRENCY: u32 = 40;
/// Default of `--ramp`, where `--duration` is long enough for it.
const RAMP: Duration = Duration::from_secs(1);
/// Default of `--duration`.
const DURATION: Duration = Duration::from_secs(10);
/// The same with `--requests`, which ends the run: no load is without a limit in time.
const DURATION_OF_REQUESTS: Duration = Duration::from_secs(600);

/// What a run does.
pub(super) struct RunPlan {
    /// Its requests.
    pub(super) load: LoadPlan,
    /// The servers that they go to in turn; usually one.
    pub(super) endpoints: Vec<Endpoint>,
    /// The probes beside them.
    pub(super) probes: ProbePlan,
    /// Those of the run, and those for each request.
    pub(super) objectives: Vec<Objective>,
    /// Time after the ramp that is in no figure.
    pub(super) warm_up: Duration,
    /// The most that the load takes, ramp and warm-up included.
    pub(super) duration: Duration,
    /// How long open streams are awaited after it.
    drain: Duration,
}

impl RunPlan {
    /// Time from the start of the load until it is measured.
    pub(super) fn measured_after(&self) -> Duration {
        self.load.schedule.ramp() + self.warm_up
    }

    /// Most streams that can be open at once.
    pub(super) fn open_max(&self) -> u64 {
        let longest = self.load.exchange.timeout.min(self.duration + self.drain);
        let cap = self.load.in_flight_max.map_or(u64::MAX, u64::from);
        self.load.schedule.in_flight_max(longest).min(self.load.requests_max).min(cap)
    }

    /// Streams that are kept open, if it is a number of them.
    pub(super) fn concurrency(&self) -> Option<u32> {
        if let Schedule::Concurrency { count, .. } = self.load.schedule { Some(count) } else { None }
    }

    /// What its requests are called.
    pub(super) fn requests_word(&self) -> &'static str {
        if self.load.exchange.request.answer.is_stream() { "streams" } else { "calls" }
    }

    /// Its request, as a warning says it: `POST /chat/stream`.
    pub(super) fn request(&self) -> String {
        let Request { method, path, .. } = &self.load.exchange.request;
        format!("{method} {path}")
    }

    /// The same to one server, which is named if there are several: `POST http://127.0.0.1:8080/chat/stream`.
    pub(super) fn request_to(&self, endpoint: &Endpoint) -> String {
        if self.endpoints.len() == 1 {
            return self.request();
        }
        let Request { method, path, .. } = &self.load.exchange.request;
        format!("{method} {endpoint}{path}")
    }

    /// What is required of each request.
    pub(super) fn required_of_each(&self) -> Vec<RequestObjective> {
        self.objectives.iter().filter_map(Objective::of_request).collect()
    }
}

/// Checks the flags and puts them together.
///
/// # Errors
/// The flag that cannot be followed.
pub(super) fn run_plan(args: &RunArgs) -> Result<RunPlan, CommandError> {
    let (endpoints, path) = targets(args)?;
    let probes = ProbePlan { kinds: probe_kinds(&args.probes)?, rate: args.probe_rate, timeout: args.probe_timeout };
    let objectives = objectives(&args.objectives, &probes.kinds)?;
    let duration = args.duration.unwrap_or(if args.requests.is_some() { DURATION_OF_REQUESTS } else { DURATION });
    let template = body_template(args)?;
    // The stream that is tried before the load has the number 0.
    let request = request(args, path, &template).with_headers(&args.headers);
    let client = Client { format: args.format, ..Client::default() }.disconnects_after_tokens(args.cancel_after);
    let exchange = Exchange { client, timeout: args.stream_timeout, ..Exchange::new(endpoints[0].clone(), request) };
    let load = LoadPlan {
        template: (!template.is_constant()).then(|| Arc::new(template)),
        requests_max: args.requests.unwrap_or(u64::MAX),
        in_flight_max: args.max_in_flight,
        disconnect_share: args.cancel_share,
        seed: args.seed,
        ..LoadPlan::new(exchange, schedule(args, duration))
    };
    let plan = RunPlan { load, endpoints, probes, objectives, warm_up: args.warmup, duration, drain: args.drain };
    if plan.measured_after() >= duration {
        let warm_up = if args.warmup.is_zero() { String::new() } else { format!(" and --warmup {:?}", args.warmup) };
        return Err(CommandError::Usage(format!(
            "--ramp {:?}{warm_up} must be shorter than --duration {duration:?}",
            plan.load.schedule.ramp()
        )));
    }
    Ok(plan)
}

/// The servers, at least one, and the path that they all have.
fn targets(args: &RunArgs) -> Result<(Vec<Endpoint>, String), CommandError> {
    let found: Vec<_> = args.urls.iter().map(|url| target(url, args)).collect::<Result<_, _>>()?;
    let (endpoints, mut paths): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    if let Some(index) = paths.iter().position(|path| *path != paths[0]) {
        let (first, other) = (&args.urls[0], &args.urls[index]);
        return Err(CommandError::Usage(format!(
            "--url {first} and --url {other} have different paths: {} and {}",
            paths[0], paths[index]
        )));
    }
    if let Some(index) = (1..endpoints.len()).find(|index| endpoints[..*index].contains(&endpoints[*index])) {
        return Err(CommandError::Usage(format!("--url {} is given twice", args.urls[index])));
    }
    Ok((endpoints, paths.swap_remove(0)))
}

/// The server of `url`, and the path of its requests.
fn target(url: &str, args: &RunArgs) -> Result<(Endpoint, String), CommandError> {
    let allowed = Allowed { other_hosts: args.i_own_this_server, ..Allowed::default() };
    let found = Endpoint::each_address(url, allowed).map_err(|error| match error {
        EndpointError::NotLoopback { url, addr } => CommandError::Usage(format!(
            "--url {url} is not on this machine, but at {addr}: if it is yours to load, say so with --i-own-this-server"
        )),
        other => other.into(),
    });
    let (mut addresses, in_url) = found?;
    let server = addresses.swap_remove(0);
    let path = one_path(url, &server, in_url, "--path", args.path.as_deref(), STREAM_PATH)?;
    Ok((server, path))
}

fn schedule(args: &RunArgs, duration: Duration) -> Schedule {
    match args.rate {
        Some(per_second) => {
            Schedule::Rate { per_second, arrivals: args.arrivals, over: args.ramp.unwrap_or(Duration::ZERO) }
        }
        None => {
            // The first users would send all of a number of requests while the others are still to come.
            let usual = if args.requests.is_some() { Duration::ZERO } else { RAMP.min(duration / 2) };
            let over = args.ramp.unwrap_or(usual);
            Schedule::Concurrency { count: args.concurrency.unwrap_or(CONCURRENCY), over }
        }
    }
}

/// The objectives that are judged. Where something is required of each request and nothing of how many meet it, all must.
fn objectives(given: &[Objective], kinds: &[ProbeKind]) -> Result<Vec<Objective>, CommandError> {
    let names: Vec<_> = kinds.iter().map(|kind| kind.name.as_str()).collect();
    for objective in given {
        objective.probe(&names).map_err(|name| {
            let known = names.join(", ");
            CommandError::Usage(format!("--slo '{objective}': there is no probe named {name}; the probes are {known}"))
        })?;
    }
    let of_each = given.iter().any(|objective| objective.of_request().is_some());
    let goodput = given.iter().find(|objective| objective.is_goodput());
    match goodput {
        Some(goodput) if !of_each => Err(CommandError::Usage(format!(
            "--slo '{goodput}' counts the requests that meet what is required of each: add that, such as --slo 'ttft<500ms'"
        ))),
        None if of_each => Ok([given, &[Objective::all_meet()]].concat()),
        _ => Ok(given.to_vec()),
    }
}

fn body_template(args: &RunArgs) -> Result<BodyTemplate, CommandError> {
    let (flag, body) = match (&args.body_file, &args.body) {
        (Some(path), _) => {
            let read = std::fs::read_to_string(path);
            let body = read.map_err(|why| CommandError::Usage(format!("--body-file {}: {why}", path.display())))?;
            ("--body-file", body)
        }
        (None, Some(body)) => ("--body", body.clone()),
        (None, None) => ("--body", CHAT.to_owned()),
    };
    BodyTemplate::parse(&body, args.seed).map_err(|why| CommandError::Usage(format!("{flag}: {why}")))
}

fn request(args: &RunArgs, path: String, template: &BodyTemplate) -> Request {
    let answer = if args.whole_answers { ExpectedAnswer::Whole } else { ExpectedAnswer::Stream };
    Request { method: args.method.clone(), ..Request::post(path, template.body(0), answer) }
}
