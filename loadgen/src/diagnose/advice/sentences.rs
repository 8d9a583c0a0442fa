//! The finding in at most three sentences that can be pasted into a ticket: what it is, by which figures, and what users
//! see of it.

use super::figures::{beyond_connections, checks};
use crate::diagnose::finding::Finding;
use crate::diagnose::seen::{HEALTH, KEPT_CONNECTION, Seen};
use crate::diagnose::state::all_flow;
use crate::numbers::{count, counted, in_millis, millis, number};
use crate::result::{Confidence, DiagnosisForm as Form, DiagnosisKind as Kind};

/// The finding in sentences.
pub(super) fn sentences(finding: &Finding, confidence: Confidence, seen: &Seen) -> String {
    let (what, figures, users) = match finding.kind {
        Kind::ThreadPoolHeld => held(finding, seen),
        Kind::ThreadPoolPerChunk => per_chunk(finding, seen),
        Kind::EventLoopBlocked => event_loop(finding, seen),
        Kind::ConnectionLimit => connections(finding, seen),
        Kind::Cpu => processor(finding, seen),
        Kind::UpstreamLimit => upstream(finding, seen),
        Kind::NotStreaming => not_streaming(finding, seen),
        Kind::NoneFound => return none_found(seen),
        Kind::Inconclusive => return inconclusive(seen),
    };
    let what = match confidence {
        Confidence::High => capitalised(&what),
        Confidence::Medium => format!("Most likely {what}"),
        Confidence::Low => format!("Possibly {what}"),
    };
    let parts = [Some(what), figures, Some(users.to_owned())];
    parts.into_iter().flatten().map(|part| part + ".").collect::<Vec<_>>().join(" ")
}

/// What it is, its figures, and what users see.
type Parts = (String, Option<String>, &'static str);

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn held(finding: &Finding, seen: &Seen) -> Parts {
    if finding.is_held_for_a_part() {
        return held_for_a_part(finding, seen);
    }
    let limit = finding.limit.unwrap_or_default();
    let (a_thread, flow) = match limit {
        1 => ("the only thread".to_owned(), "1 stream flows, and the others wait until it ends".to_owned()),
        _ => (
            format!("one of {} threads", count(limit)),
            format!("{} streams flow, and the others wait until one of them ends", count(limit)),
        ),
    };
    match finding.form {
        Some(Form::WorkerPerRequest) => (
            format!(
                "each stream holds a worker of this server, of which there {} {}, from its first byte to its last: when \
                 all of them have a stream, nothing else is answered",
                if limit == 1 { "is" } else { "are" },
                count(limit)
            ),
            checks(seen),
            "Users get a connection and then nothing, on every page",
        ),
        Some(Form::GrowingPool) => {
            let slope = seen.collapse.as_ref().map_or(0.0, |collapse| collapse.slope());
            let by = match (slope * 10.0).round() / 10.0 {
                seen_growing if seen_growing > 0.0 => format!(" by {} a second", number(seen_growing)),
                _ => String::new(),
            };
            (
                format!(
                    "each stream holds a thread of a pool that has about {} at first and grows{by} while work waits",
                    count(limit)
                ),
                checks(seen),
                "After each burst of users the service hangs for a while and recovers without anybody having done \
                 anything",
            )
        }
        _ => (
            format!("each stream holds {a_thread} of this server: {flow}"),
            checks(seen),
            if seen.hangs(HEALTH) {
                "Users see a page that hangs without an error, and a health check that fails on an idle processor"
            } else {
                "Users see a page that hangs without an error, while all health checks are green"
            },
        ),
    }
}

fn held_for_a_part(finding: &Finding, seen: &Seen) -> Parts {
    let threads = finding.limit.map_or("the threads of a pool".to_owned(), |limit| format!("{} threads", count(limit)));
    (
        format!(
            "each request holds one of {threads} of this server for a part of its time, such as until its stream begins, \
             and all others that need a thread wait"
        ),
        checks(seen),
        "Users wait ever longer for the first token, and health checks fail on an idle processor",
    )
}

fn per_chunk(finding: &Finding, seen: &Seen) -> Parts {
    let threads = match finding.limit {
        None => "a thread of a pool".to_owned(),
        Some(1) => "the only thread of a pool".to_owned(),
        Some(limit) => format!("one of {} threads", count(limit)),
    };
    (
        format!(
            "each chunk of a stream needs {threads} while the next token is waited for: all streams flow, and \
             slow each other and everything else that needs a thread"
        ),
        checks(seen),
        "Users see answers that crawl, all at the same time, and health checks that are slow",
    )
}

fn event_loop(finding: &Finding, seen: &Seen) -> Parts {
    let longest = seen.stalls.iter().map(|stall| stall.length).max();
    let stalls = longest.map(|longest| {
        let times = match seen.stalls.len() {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        format!("It happened {times}, for up to {}", millis(in_millis(longest)))
    });
    let flow = match (finding.limit, seen.worst()) {
        (Some(limit), Some(worst)) if limit > 1 && seen.is_slowed(worst) => {
            format!("all streams together get no more chunks than {} would", count(limit))
        }
        (Some(limit), Some(worst)) if limit > 1 && all_flow(worst) => {
            format!("more than {} streams hold each other up", count(limit))
        }
        (Some(limit), _) if limit > 0 => {
            format!("no more than {} at a time", counted(limit, "stream makes progress", "streams make progress"))
        }
        _ => "no stream makes progress meanwhile".to_owned(),
    };
    (
        format!(
            "something on the event loop of this server waits or computes without yielding: {flow}, and nothing else is \
             answered, not even a path that does not exist"
        ),
        checks(seen).or(stalls),
        "Users see everything stop at once and go on at once",
    )
}

fn connections(finding: &Finding, seen: &Seen) -> Parts {
    let limit = finding.limit.unwrap_or_default();
    let mut figures = checks(seen);
    if let (Some(text), Some(fds)) = (&mut figures, seen.worst().and_then(|worst| worst.fds)) {
        *text += &format!(" and {} descriptors open", count(fds));
    }
    (
        format!(
            "this server, or what is in front of it, accepts about {} connections at once: {}{}",
            count(limit),
            beyond_connections(seen),
            if seen.is_fast(KEPT_CONNECTION) { ", while one that was open before is served as when idle" } else { "" }
        ),
        figures,
        "Those who are connected notice nothing, and new users cannot connect",
    )
}

fn processor(finding: &Finding, seen: &Seen) -> Parts {
    let busy = match finding.limit {
        Some(limit) if seen.last_good().streams > 0 => {
            format!("beyond {} it is busy", counted(limit, "stream", "streams"))
        }
        _ => "one stream alone keeps it busy".to_owned(),
    };
    (
        format!("the processor is the limit: {busy}, and everything takes longer"),
        checks(seen),
        "Users see answers that crawl, more slowly with every further user",
    )
}

fn upstream(finding: &Finding, seen: &Seen) -> Parts {
    let streams = counted(finding.limit.unwrap_or_default(), "stream", "streams");
    let (are, have) = if finding.limit == Some(1) { ("is", "has") } else { ("are", "have") };
    let checks_wait = seen.hangs(HEALTH);
    let some_wait = seen.worst().is_some_and(|worst| worst.waiting > 0);
    let collapse = seen.collapse.as_ref();
    let rejected: Vec<_> = collapse.iter().flat_map(|collapse| &collapse.rejected).collect();
    let rejected: Vec<_> = rejected.iter().map(|(status, count)| format!("{status}: {count}")).collect();
    let what = match finding.form {
        Some(Form::Http2Streams) => format!(
            "{streams} at once are all that one HTTP/2 connection to the vendor carries, and the others wait in this \
             server"
        ),
        Some(Form::Vendor) if !rejected.is_empty() && some_wait => format!(
            "{streams} at once {are} served, some more wait for a place, and the rest are rejected ({}), by the vendor or by \
             this server in its place",
            rejected.join(", ")
        ),
        Some(Form::Vendor) if !rejected.is_empty() => format!(
            "more than {streams} at once are rejected ({}), by the vendor or by this server in its place",
            rejected.join(", ")
        ),
        Some(Form::Vendor) if some_wait => format!(
            "{streams} at once {are} served, and the others wait for the vendor: each of them has a connection to it, too"
        ),
        Some(Form::Vendor) => {
            format!(
                "this server waits for its vendor, or for what its streams share, such as a lock or threads for their \
                 chunks: beyond {streams} all of them get slower, and nothing else does"
            )
        }
        _ if checks_wait => format!(
            "{streams} at once {have} a place in a pool that is no pool of threads, such as that of the connections to a \
             database, and the others wait for one, and so do health checks"
        ),
        _ => format!(
            "{streams} at once {are} served, and the others wait inside this server for a place: a connection of its HTTP client \
             or its database, a stream of an HTTP/2 connection, or a limit of its own"
        ),
    };
    let users = match finding.form {
        Some(Form::Vendor) if !rejected.is_empty() && some_wait => {
            "Users above the limit wait, or get an error at once, and the others nothing of it"
        }
        Some(Form::Vendor) if !rejected.is_empty() => {
            "Users above the limit get an error at once, and the others nothing of it"
        }
        _ if checks_wait => "Users above the limit wait, and health checks fail on an idle processor",
        _ => {
            "Users above the limit wait, or get a time-out that looks like the vendor's, while all health checks are green"
        }
    };
    (what, checks(seen), users)
}

fn not_streaming(finding: &Finding, seen: &Seen) -> Parts {
    let idle = &seen.idle;
    let compressed = idle.compressed();
    let what = match finding.form {
        Some(Form::Compressed) => format!(
            "the answer streams for a client that accepts no compression, and arrives all at once for one that accepts \
             it (`content-encoding: {}`): a layer compresses it without flushing",
            compressed.map_or("gzip", |compressed| compressed.header("content-encoding"))
        ),
        Some(Form::ProxyBuffers) => {
            let proxy = ["via", "server"].into_iter().find(|name| !idle.header(name).is_empty());
            let proxy = proxy.map_or(String::new(), |name| format!(" (`{name}: {}`)", idle.header(name)));
            format!("a proxy in front of the server{proxy} keeps the answer back until it is complete")
        }
        None => "this answer is no stream: it was there at once, as a whole".to_owned(),
        _ => "the server, or a layer in it, collects the answer and sends it when it is complete".to_owned(),
    };
    let late = compressed.filter(|_| finding.form == Some(Form::Compressed)).unwrap_or(idle);
    let first = millis(in_millis(late.first_chunk));
    let figures = match late.chunks {
        0 => format!("No byte of it came within {first}"),
        1 if late.ended => format!("All of it came in one piece, {first} after the request"),
        1 => format!(
            "One piece of it came {first} after the request, and no more within {}",
            millis(in_millis(late.took))
        ),
        chunks => format!(
            "Its first byte came {first} after the request, and all {} chunks within {} of it",
            count(chunks),
            millis(in_millis(late.lasted))
        ),
    };
    let users = match finding.form {
        None => "Nothing can be said of its limits before a stream is asked for",
        _ => "Users look at an empty page for as long as the model writes",
    };
    (what, Some(figures), users)
}

fn none_found(seen: &Seen) -> String {
    let most = seen.levels.iter().max_by_key(|level| level.streams);
    let Some(most) = most else { return "No limit was found, as no stream was opened.".to_owned() };
    let health = most.probes.get(HEALTH).map(|health| {
        let idle = seen.idle_ms(HEALTH).map(|idle| format!(", {} when idle", millis(idle))).unwrap_or_default();
        format!(" Health checks took {} (p99{idle}).", millis(health.latency_ms.p99))
    });
    format!(
        "No limit was found up to {}: {} flowed at the pace of one alone, and the server stayed as when idle.{}",
        counted(most.streams, "stream", "streams"),
        if most.started >= most.streams { "all of them".to_owned() } else { count(most.started) },
        health.unwrap_or_default()
    )
}

fn inconclusive(seen: &Seen) -> String {
    match checks(seen) {
        Some(figures) => {
            format!("The server is not as when idle, but what was seen fits no kind of limit, or several. {figures}.")
        }
        None => "What was seen does not show whether this server has a limit.".to_owned(),
    }
}
