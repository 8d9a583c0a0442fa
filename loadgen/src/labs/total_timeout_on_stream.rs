//! One timeout for a whole stream.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, MetricFigure, Phase, Profile,
    RequestFigure, VendorFigure, at, flags, whole_run,
};
use crate::result::MetricName;

pub(super) fn lab() -> Lab {
    Lab {
        name: "total-timeout-on-stream",
        group: Group::Calls,
        mistake: "the client has one timeout for a whole stream: healthy streams that are longer are cut, and stalled ones \
                  last as long",
        fix: "no total: a limit for the first token and one for each silence",
        fix_file: "fixed-server/src/upstream/client.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that a stream needs no limit at all: one that never ends and is never silent would keep its permit \
                     (--total-timeout, an hour)",
        by_hand: ByHand::NeedsItsLab(
            "It shows when streams take longer than --call-timeout, as in its lab. The default is 30 s, and the streams \
             here take 15 s.",
        ),
        normal: profile(&Numbers { total: secs(3) }),
        fast: profile(&Numbers { total: secs(2) }),
    }
}

struct Numbers {
    /// The total timeout. A long stream takes twice, a short one half as long, and the idle timeout is half of it.
    total: Duration,
}

const LONG: u32 = 8;
const SHORT: u32 = 4;
const STALLED: u32 = 4;
/// Of a stream, before each token.
const GAP: Duration = millis(100);

fn profile(n: &Numbers) -> Profile {
    let (total, half, queue) = (n.total.as_millis(), n.total.as_millis() / 2, n.total.as_millis() / 6);
    let limits = format!(
        "--queue-timeout {queue}ms --call-timeout {total}ms --first-token-timeout {half}ms --idle-timeout {half}ms \
         --sla {sla}ms --attempts 1",
        sla = 2 * total
    );
    let in_total = (total / GAP.as_millis()) as u32;
    let streams = |name, count| Load::streams(count).named(name);
    let stalled = Load::streams(STALLED).named("stalled").fault("hang-after=2");
    Profile {
        vendor: flags(&format!("--ttft {gap}ms --inter-token {gap}ms", gap = GAP.as_millis())),
        arms: vec![Arm::broken().flags(&limits), Arm::control().flags(&limits), Arm::fixed().flags(&limits)],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(300)),
            // Until the idle timeout of the stalled streams has passed, and the total has not.
            Phase::new(LOADED, "streaming")
                .adds(streams("long", LONG).tokens(2 * in_total))
                .adds(streams("short", SHORT).tokens(in_total / 2))
                .adds(stalled)
                .hold(n.total * 4 / 5),
            Phase::new("to-the-end", "to the end").hold(n.total * 6 / 5 + millis(400)),
        ],
        probes: vec![HEALTH_ASYNC],
        drain: Duration::ZERO,
        claims: claims(in_total),
        ..Profile::default()
    }
}

/// `in_total`: tokens of a stream until the total timeout.
fn claims(in_total: u32) -> Vec<Claim> {
    let of = |arm, load: &str, what| at(arm, LOADED).load(load).streams(what);
    let permits = |arm| at(arm, LOADED).metric(MetricName::new("llm_concurrent_calls"), MetricFigure::Value);
    let cancelled = |arm| whole_run(arm).ledger(LedgerFigure::Cancelled);
    let tokens = |arm| of(arm, "long", RequestFigure::Tokens);
    let short = |arm| Claim::exactly(SHORT, "short streams completed", of(arm, "short", RequestFigure::Completed));
    let error_events = RequestFigure::Failure("error event");
    let clean = |arm| {
        vec![
            Claim::exactly(LONG, "long streams completed", of(arm, "long", RequestFigure::Completed)),
            Claim::exactly(2 * in_total * LONG, "tokens of the long streams", tokens(arm)),
            short(arm),
            Claim::exactly(STALLED, "stalled streams ended", of(arm, "stalled", error_events)),
            Claim::exactly(LONG, "permits held after the idle timeout", permits(arm)),
            Claim::exactly(STALLED, "calls cancelled at the vendor", cancelled(arm)),
        ]
    };
    let mut claims = vec![
        Claim::exactly(LONG, "long streams cut, with an error event", of("broken", "long", error_events)),
        Claim::at_most(in_total * LONG * 6 / 5, "tokens of the long streams", tokens("broken")),
        Claim::exactly(LONG + STALLED, "permits held after the idle timeout", permits("broken")),
        Claim::exactly(LONG + STALLED, "calls cancelled at the vendor", cancelled("broken")),
    ];
    claims.extend(clean("fixed"));
    let open = at("control", "to-the-end").vendor(VendorFigure::PeakActive);
    // Until the timeout, nothing was wrong with the streams, and short ones never show it.
    claims.push(Claim::at_least(in_total * LONG * 4 / 5, "tokens of the long streams", tokens("broken")).condition());
    claims.push(short("broken").condition());
    claims.push(Claim::exactly(LONG + SHORT + STALLED, "streams at the vendor, peak", open).pressure());
    claims.push(
        Claim::at_least(
            LONG,
            "streams at the vendor throughout",
            at("control", LOADED).vendor(VendorFigure::ActiveThroughout),
        )
        .pressure(),
    );
    claims.extend(clean("control").into_iter().map(Claim::control));
    claims
}
