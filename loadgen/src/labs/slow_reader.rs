//! What a client does not read stays in memory.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, LOADED, Lab, LevelFigure, Load, MetricFigure, Phase, ProcessFigure, Profile,
    RequestFigure, VendorFigure, at, flags,
};
use crate::result::MetricName;
use crate::traffic::{Client, Request, Schedule};

pub(super) fn lab() -> Lab {
    Lab {
        name: "slow-reader",
        group: Group::Calls,
        mistake: "a queue without a bound between the vendor and the client: what the client does not read stays in \
                  memory",
        fix: "no queue: the connection polls the vendor, so a client that does not read stops it, and is disconnected \
              when nothing could be written for --write-timeout",
        fix_file: "fixed-server/src/net/accept.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that nothing is buffered: the operating system holds up to some megabytes of each connection, which \
                     are not in the process's memory",
        by_hand: ByHand::NeedsItsLab(
            "It shows in the memory when clients stop reading, as those of its lab do. The clients here read all \
             that they get.",
        ),
        normal: profile(&Numbers { tokens: 1200, gap: millis(4), write_timeout: millis(4500) }),
        fast: profile(&Numbers { tokens: 800, gap: millis(4), write_timeout: millis(3200) }),
    }
}

struct Numbers {
    /// Of each stream, each in a chunk of 32 KiB: together 100 MB in the fast profile, 157 MB in the other.
    tokens: u32,
    gap: Duration,
    /// Longer than a stream, so that what is left unread is in memory when the stream has ended.
    write_timeout: Duration,
}

const CHUNK: &str = "32KiB";
const CHUNK_BYTES: u32 = 32 * 1024;
/// As many as there are permits.
const CLIENTS: u32 = 4;
const TIMED_OUT: &str = "timed-out";
const AFTER: &str = "after";
/// Of a server that keeps nothing, in MB. The buffers of its connections are the system's.
const GROWTH_MAX: u32 = 16;

fn profile(n: &Numbers) -> Profile {
    let (tokens, gap) = (n.tokens, n.gap.as_millis());
    let all_tokens = CLIENTS * tokens;
    let all_mb = f64::from(all_tokens) * f64::from(CHUNK_BYTES) / 1e6;
    // SQLite has a thread for each connection: no more of them than clients, whose threads would count as the fault's.
    let limits = format!(
        "--max-in-flight {CLIENTS} --max-queued 0 --write-timeout {}ms --database-pool-size {CLIENTS}",
        n.write_timeout.as_millis()
    );
    let streams = |name| Load::new(name, Request::completion_stream()).schedule(Schedule::at_once(CLIENTS));
    let unread = streams("unread").client(Client::default().stops_reading_after(3));
    let read = streams("read").tokens(10).inter_token(millis(50));
    let growth = |arm| at(arm, LOADED).process(ProcessFigure::Memory(LevelFigure::Growth));
    let kept = |arm| Claim::at_most(GROWTH_MAX, "memory growth while nobody reads", growth(arm));
    let sent = |arm| at(arm, LOADED).vendor(VendorFigure::TokensSent);
    let slowed_down = |arm| Claim::at_most(all_tokens / 2, "tokens that the vendor sent", sent(arm));
    let freed = |arm| {
        let held = at(arm, TIMED_OUT).metric(MetricName::new("llm_concurrent_calls"), MetricFigure::Value);
        Claim::exactly(0, "permits held after the write timeout", held)
    };
    let served = |arm| {
        let completed = at(arm, AFTER).streams(RequestFigure::Completed);
        Claim::exactly(CLIENTS, "streams completed after it", completed)
    };
    let open = |arm| {
        let active = at(arm, LOADED).vendor(VendorFigure::ActiveThroughout);
        Claim::at_least(CLIENTS, "streams at the vendor throughout", active).pressure()
    };
    Profile {
        vendor: flags(&format!("--tokens {tokens} --ttft 50ms --inter-token {gap}ms --chunk-bytes {CHUNK}")),
        arms: vec![Arm::broken().flags(&limits), Arm::control().flags(&limits), Arm::fixed().flags(&limits)],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(500)),
            // Shortly before the streams end where nothing slows them down.
            Phase::new(LOADED, "unread").adds(unread).hold(n.gap * (tokens - tokens / 16)),
            // Until the connections are closed, wherever the system has buffered more of them.
            Phase::new(TIMED_OUT, "timed out").hold(millis(2000)),
            Phase::new(AFTER, "after").adds(read).until_done(secs(2)),
        ],
        probe_rate: 10.0,
        drain: millis(0),
        claims: vec![
            Claim::at_least(all_mb / 3.0, "memory growth while nobody reads", growth("broken")),
            Claim::at_least(all_tokens / 3 * 2, "tokens that the vendor sent", sent("broken")),
            kept("fixed"),
            slowed_down("fixed"),
            freed("fixed"),
            served("fixed"),
            open("broken"),
            open("control"),
            open("fixed"),
            kept("control").control(),
            slowed_down("control").control(),
            freed("control").control(),
            served("control").control(),
        ],
        ..Profile::default()
    }
}
