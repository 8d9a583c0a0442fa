//! For each kind of limit: why a larger number is not the fix, what is, and the lab that shows both.

use super::figures::little;
use crate::diagnose::finding::Finding;
use crate::diagnose::seen::{HEALTH, Seen};
use crate::numbers::{counted, in_millis, millis, number};
use crate::result::{DiagnosisForm as Form, DiagnosisKind as Kind};

/// What to do about a kind of limit, on any platform.
pub(super) struct Remedy {
    /// Why a larger number is not the fix, with the figures that were seen; empty if there is no number.
    pub(super) larger: String,
    /// What is the fix.
    pub(super) fix: &'static str,
    /// What else to know.
    pub(super) also: &'static str,
    /// The lab that shows it.
    pub(super) lab: Option<&'static str>,
}

impl Remedy {
    fn new(larger: String, fix: &'static str, lab: Option<&'static str>) -> Self {
        Remedy { larger, fix, also: "", lab }
    }
}

/// What to do about a finding that names a kind; nothing about the others. `is_explained`: its number is the default of
/// the platform.
pub(super) fn remedy(finding: &Finding, seen: &Seen, is_explained: bool) -> Option<Remedy> {
    let limit = finding.limit.unwrap_or_default();
    Some(match finding.kind {
        Kind::ThreadPoolHeld => held(finding, seen, limit, is_explained),
        Kind::ThreadPoolPerChunk => Remedy::new(
            per_chunk(seen, limit),
            "Read the vendor with an asynchronous client and pass its chunks on from an asynchronous generator, so that \
             no thread waits for a token",
            Some("pool-per-chunk"),
        ),
        Kind::EventLoopBlocked => Remedy::new(
            "More event loops or processes are not the fix: each stops at a blocking call of its own, so it takes only a \
             few streams more until all of them are blocked"
                .to_owned(),
            "Find the call that blocks, and await an asynchronous one in its place; give what needs the processor a \
             thread, with a limit on how much of it there is",
            Some(if seen.collapse.is_some() { "blocked-executor" } else { "coordinated-omission" }),
        ),
        Kind::ConnectionLimit => Remedy {
            also: "If the server ran out of descriptors (`ulimit -n`, for systemd `LimitNOFILE=`), raise that limit: a descriptor \
                   costs little",
            ..Remedy::new(
                "A larger number alone only moves the limit: a stream keeps its connection, so with more users it is \
                 reached again, and the server cannot even say that it is full"
                    .to_owned(),
                "Allow fewer streams at once than connections and reject the rest with 429 and Retry-After, so that there \
                 is always a connection left on which to say so, and one for the health check",
                None,
            )
        },
        Kind::Cpu => Remedy::new(
            "More threads are not the fix: they share the processors that there are".to_owned(),
            "Look with a profiler (py-spy, perf, pprof, async-profiler, `node --cpu-prof`) what is done for each chunk: \
             parse, log and write less of it, and in larger pieces; take work of other requests off the event loop; then \
             add processes or machines",
            Some("cpu-on-the-loop"),
        ),
        Kind::UpstreamLimit => upstream(finding, seen),
        Kind::NotStreaming => not_streaming(finding),
        Kind::NoneFound | Kind::Inconclusive => return None,
    })
}

fn held(finding: &Finding, seen: &Seen, limit: u64, is_explained: bool) -> Remedy {
    match finding.form {
        Some(Form::WorkerPerRequest) => Remedy {
            also: "Until then give the health check a port with a worker of its own",
            ..Remedy::new(
                little(seen, limit, "worker"),
                "Serve the streams where a connection needs no worker: from an asynchronous server, or from a small one \
                 beside this, with a limit on streams at once",
                Some("pool-exhaustion"),
            )
        },
        Some(Form::GrowingPool) => Remedy::new(
            "A larger minimum only makes the same threads sooner: each of them still waits for a stream, and the next \
             burst is larger"
                .to_owned(),
            "Let no thread wait for a token: await from the handler down to the HTTP client, and limit streams at once",
            Some("more-threads"),
        ),
        _ => Remedy {
            also: if is_explained || seen.worst().is_some_and(|worst| worst.threads.is_some()) {
                ""
            } else {
                "If no such pool exists: a stream that keeps a connection to the database, and a health check that asks \
                 the database, look the same from outside; --pid shows which it is"
            },
            ..Remedy::new(
                if finding.is_held_for_a_part() {
                    "A larger number alone only moves the limit: a thread that waits serves nobody, whatever the \
                     processor does"
                        .to_owned()
                } else {
                    little(seen, limit, "thread")
                },
                "Let no thread wait for a token: call the vendor with an asynchronous client, and limit streams at once by \
                 permits, with a queue that has a length and a time-out",
                Some("pool-exhaustion"),
            )
        },
    }
}

fn per_chunk(seen: &Seen, limit: u64) -> String {
    let gap = seen.idle.gap();
    if limit == 0 || gap.is_zero() {
        return "A larger pool only moves the number of streams from which on all of them slow down".to_owned();
    }
    let threads = counted(limit, "thread that waits", "threads that wait");
    format!(
        "{threads} {} for each token can pass on {} chunks a second, whatever the processor does; a larger pool \
         only moves the number of streams from which on all of them slow down",
        millis(in_millis(gap)),
        number((limit as f64 / gap.as_secs_f64()).round())
    )
}

fn upstream(finding: &Finding, seen: &Seen) -> Remedy {
    let is_rejected = seen.collapse.as_ref().is_some_and(|collapse| !collapse.rejected.is_empty());
    match finding.form {
        Some(Form::Vendor) if is_rejected => Remedy {
            also: "If it is a limit of your own, this is how it should look: everybody else is served as when idle. Then \
                   the only question is whether it is the number that you want",
            ..Remedy::new(
                "Sending more calls is not the fix: the vendor rejects them and counts them".to_owned(),
                "Keep within the vendor's quota before the call (calls at once, and a rate), queue for a bounded time, try \
                 again only when Retry-After says so, and pass 429 with Retry-After on to the client",
                Some("rapid-sequence"),
            )
        },
        Some(Form::Vendor) => Remedy::new(
            "More streams at once do not get more out of a vendor that is at its limit".to_owned(),
            "Look at the vendor's own figures at this number of streams; limit calls at once to what it serves well, in a \
             bounded queue",
            Some("unbounded-queue"),
        ),
        Some(Form::Http2Streams) => Remedy::new(
            "The other side sets the number of streams on a connection".to_owned(),
            "Let the client open another connection when one is full, or use HTTP/1.1 to the vendor",
            Some("client-pool"),
        ),
        _ if seen.hangs(HEALTH) => Remedy::new(
            "A larger pool only moves the limit: each stream keeps its place for as long as the vendor takes".to_owned(),
            "If it is the database's: load what is needed, give the connection back, and only then call the vendor; let the \
             health check not depend on it. If it is another pool, limit streams at once in front of it, and reject the \
             rest with 429",
            Some("db-held-during-call"),
        ),
        _ => Remedy {
            also: "If it is the pool of the database: give the connection back before the vendor is called (`loadgen lab \
                   db-held-during-call`)",
            ..Remedy::new(
                "A larger number in the client alone is not the fix: a call that waits there is in no queue that has a \
                 length, a time-out of its own or a metric, and is reported as the vendor's time-out"
                    .to_owned(),
                "Have one limit on calls at once, in front of the client, which rejects what is over it with 429; give the \
                 client at least as many connections",
                Some("client-pool"),
            )
        },
    }
}

fn not_streaming(finding: &Finding) -> Remedy {
    let fix = match finding.form {
        Some(Form::Compressed) => {
            "Leave `text/event-stream` out of compression, in the middleware or the proxy that compresses (nginx: \
             `gzip_types`), or flush after each event; `Cache-Control: no-transform` on the answer forbids it to proxies"
        }
        Some(Form::ProxyBuffers) => {
            "Switch buffering off for streams: `X-Accel-Buffering: no` in the answer, or `proxy_buffering off;` for the \
             location, if the proxy is nginx; for another, its setting for response buffering. Then ask the server's own \
             port, to see whether it streams at all"
        }
        None => {
            "Ask for an answer that takes the server some seconds, as a stream: `\"stream\": true` in --body where the API \
             has that, a longer answer, the right --stream-path"
        }
        _ => {
            "Ask the vendor with `\"stream\": true` and pass each chunk on when it comes: look for a handler that awaits \
             the whole answer, a middleware that reads the body, and a framework that collects an iterator which is not \
             asynchronous"
        }
    };
    Remedy::new(String::new(), fix, Some("buffered-stream"))
}
