//! The vendor's client has a limit on connections that nobody has set.

use std::time::Duration;

use super::common::{millis, peak, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, MetricFigure, Phase, Profile,
    RequestFigure, VendorFigure, at, flags,
};
use crate::result::MetricName;

pub(super) fn lab() -> Lab {
    Lab {
        name: "client-pool",
        group: Group::Calls,
        mistake: "the vendor's client opens 100 connections at most, whatever --max-in-flight allows, and a call that waits \
                  for one in vain is reported as the vendor's time-out",
        fix: "one limit on calls at once, --max-in-flight, and a client without another: a call over it is rejected as \
              overloaded",
        fix_file: "fixed-server/src/state.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that a client should have no limit: one that is at least --max-in-flight is never met",
        by_hand: ByHand::Shows(
            "Set 120 streams. The vendor of the broken server has 100 of them, and the rest fail as if it were slow.",
        ),
        normal: profile(&Numbers { idle: secs(1), tokens: 9, hold: secs(4) }),
        fast: profile(&Numbers { idle: millis(300), tokens: 5, hold: millis(300) }),
    }
}

struct Numbers {
    idle: Duration,
    /// Of each stream, one a second: it is open until all figures have been taken.
    tokens: u32,
    /// How long it is observed that the streams stay as they are.
    hold: Duration,
}

/// The default limit of the client, as in several libraries.
const CONNECTIONS: u32 = 100;
/// As many as are allowed in flight.
const STREAMS: u32 = 120;
/// Calls over that.
const CALLS: u32 = 10;
const RAMP: Duration = millis(1500);
/// The wait for a connection: a tenth of the usual 5 s.
const POOL_TIMEOUT: Duration = millis(500);
const OVER: &str = "over";

fn profile(n: &Numbers) -> Profile {
    // One attempt: a wait that has failed is otherwise tried again.
    let limits = format!("--max-in-flight {STREAMS} --max-queued 0 --attempts 1");
    let pool = format!("--client-pool-timeout {}ms", POOL_TIMEOUT.as_millis());
    Profile {
        vendor: flags(&format!("--tokens {} --ttft 1s --inter-token 1s", n.tokens)),
        arms: vec![
            Arm::broken().flags(&limits).mistake_flags(pool),
            Arm::control().flags(&limits),
            Arm::fixed().flags(&limits),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.idle),
            Phase::new(LOADED, format!("{STREAMS} open"))
                .adds(Load::streams(STREAMS).over(RAMP))
                .settle(POOL_TIMEOUT + millis(500))
                .hold(n.hold),
            Phase::new(OVER, format!("{CALLS} more")).adds(Load::calls(CALLS)).until_done(POOL_TIMEOUT + secs(1)),
        ],
        probes: vec![HEALTH_ASYNC],
        probe_rate: 10.0,
        drain: secs(4),
        claims: claims(),
        ..Profile::default()
    }
}

fn claims() -> Vec<Claim> {
    let waiting = STREAMS - CONNECTIONS;
    let streams = |count: u32, name: &str, figure| Claim::exactly(count, name, figure);
    let ended = |arm, how| at(arm, LOADED).streams(how);
    let over = |arm, kind| at(arm, OVER).calls(RequestFigure::ErrorType(kind));
    let with_retry_after = |arm| at(arm, OVER).calls(RequestFigure::WithRetryAfter(429));
    let timeouts = at("broken", LOADED).metric(MetricName::new("llm_call_timeout_total"), MetricFigure::Increase);
    let failed_by_vendor = at("broken", OVER).vendor(VendorFigure::Failed);
    let all = |arm| {
        [
            streams(STREAMS, "streams at the vendor, most", peak(arm)),
            streams(STREAMS, "streams completed", ended(arm, RequestFigure::Completed)),
            Claim::exactly(CALLS, "calls over the limit, `overloaded`", over(arm, "overloaded")),
            Claim::exactly(100, "of their 429s, with Retry-After", with_retry_after(arm)),
        ]
    };
    let mut claims = vec![
        streams(CONNECTIONS, "streams at the vendor, most", peak("broken")),
        streams(CONNECTIONS, "calls that the vendor got", at("broken", LOADED).ledger(LedgerFigure::Started)),
        streams(waiting, "failed, `upstream_failure`", ended("broken", RequestFigure::ErrorType("upstream_failure"))),
        streams(waiting, "counted as the vendor's time-outs", timeouts),
        Claim::exactly(CALLS, "calls more, `upstream_failure`", over("broken", "upstream_failure")),
    ];
    claims.extend(all("fixed"));
    // The vendor has done nothing of what is said of it.
    claims.push(Claim::exactly(0, "calls failed by the vendor", failed_by_vendor).condition());
    claims.extend(all("control").map(Claim::control));
    claims
}
