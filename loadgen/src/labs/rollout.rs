//! A share of the streams is asynchronous; when one fails, the blocking path is tried.

use std::time::Duration;

use super::time::{millis, secs};
use crate::lab::{
    Action, ActionTarget, Arm, BASELINE, Claim, Figure, Group, LOADED, Lab, Load, Phase, ProbeFigure, Profile,
    StreamFigure, VendorFigure,
};
use crate::result::Quantile;

pub(super) static LAB: Lab = Lab {
    name: "rollout",
    group: Group::Threads,
    mistake: "the async path is rolled out by percentage and falls back to the blocking one on failure: when the \
              vendor fails, all requests are back on the threads",
    fix: "no fallback: a failure is reported at once, with X-Stream-Method: async_failure",
    mistake_file: "broken-server/src/mistakes/threads/rollout.rs",
    fix_file: "fixed-server/src/api/answer.rs",
    repair_file: "broken-server/src/call_style/once.rs",
    proves_not: "that a rollout by percentage is wrong: it is the way to start. But a few percent do not show the \
                 fault, and a small pool shows it even when few requests still block",
    // One attempt, so that a second call can only come from the fallback.
    normal: Profile {
        vendor: &["--tokens", "40", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "rollout", "--blocking-threads", "40", "--first-token-timeout", "2s"]),
            Arm::actix("broken-8", &["--mistake", "rollout", "--blocking-threads", "8", "--first-token-timeout", "2s"]),
            Arm::actix(
                "control",
                &["--mistake", "none", "--blocking-threads", "8", "--first-token-timeout", "2s", "--attempts", "1"],
            ),
            Arm::fixed(&["--first-token-timeout", "2s", "--attempts", "1"]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(1500)),
            Phase::new("at-0", "0 % async")
                .of_mistake()
                .actions(TO_0)
                .adds(SIXTY, millis(200))
                .settle(millis(300))
                .hold(millis(1500)),
            Phase::new("at-5", "5 % async")
                .of_mistake()
                .actions(TO_5)
                .adds(SIXTY, millis(200))
                .settle(millis(800))
                .hold(millis(1500)),
            Phase::new("at-20", "20 % async")
                .of_mistake()
                .actions(TO_20)
                .adds(SIXTY, millis(200))
                .settle(millis(800))
                .hold(millis(1500)),
            Phase::new("at-50", "50 % async")
                .of_mistake()
                .actions(TO_50)
                .adds(SIXTY, millis(200))
                .settle(millis(800))
                .hold(millis(1500)),
            Phase::new(LOADED, "100 % async")
                .actions(TO_100)
                .adds(SIXTY, millis(200))
                .settle(millis(800))
                .hold(millis(1500)),
            Phase::new("failing", "vendor hangs")
                .actions(HANG)
                .adds(SIXTY_MORE, millis(200))
                .settle(millis(1300))
                .hold(secs(2)),
        ],
        probe_timeout: secs(1),
        drain: millis(3500),
        claims: &claims([3.0, 30.0, 60.0], 40.0),
        ..Profile::EMPTY
    },
    fast: Profile {
        vendor: &["--tokens", "12", "--ttft", "250ms", "--inter-token", "250ms"],
        arms: &[
            Arm::actix("broken", &["--mistake", "rollout", "--blocking-threads", "12", "--first-token-timeout", "1s"]),
            Arm::actix("broken-8", &["--mistake", "rollout", "--blocking-threads", "8", "--first-token-timeout", "1s"]),
            Arm::actix(
                "control",
                &["--mistake", "none", "--blocking-threads", "8", "--first-token-timeout", "1s", "--attempts", "1"],
            ),
            Arm::fixed(&["--first-token-timeout", "1s", "--attempts", "1"]),
        ],
        phases: &[
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new("at-0", "0 % async")
                .of_mistake()
                .actions(TO_0)
                .adds(TWENTY, millis(200))
                .settle(millis(200))
                .hold(millis(500)),
            Phase::new("at-5", "5 % async")
                .of_mistake()
                .actions(TO_5)
                .adds(TWENTY, millis(200))
                .settle(millis(300))
                .hold(millis(450)),
            Phase::new("at-20", "20 % async")
                .of_mistake()
                .actions(TO_20)
                .adds(TWENTY, millis(200))
                .settle(millis(300))
                .hold(millis(450)),
            Phase::new("at-50", "50 % async")
                .of_mistake()
                .actions(TO_50)
                .adds(TWENTY, millis(200))
                .settle(millis(300))
                .hold(millis(450)),
            Phase::new(LOADED, "100 % async")
                .actions(TO_100)
                .adds(TWENTY, millis(200))
                .settle(millis(300))
                .hold(millis(450)),
            Phase::new("failing", "vendor hangs")
                .actions(HANG)
                .adds(TWENTY_MORE, millis(200))
                .settle(millis(550))
                .hold(secs(1)),
        ],
        probe_timeout: millis(600),
        drain: millis(2200),
        claims: &claims([1.0, 10.0, 20.0], 12.0),
        ..Profile::EMPTY
    },
};

/// Streams of a phase, whose clients disconnect at its end, so that the next starts with an empty pool.
const SIXTY: &[Load] = &[Load { disconnect_after: Some(millis(2600)), ..Load::of(60) }];
const SIXTY_MORE: &[Load] = &[Load::of(60)];
const TWENTY: &[Load] = &[Load { disconnect_after: Some(millis(1000)), ..Load::of(20) }];
const TWENTY_MORE: &[Load] = &[Load::of(20)];

const TO_0: &[Action] = &both(r#"{"percent":0}"#);
const TO_5: &[Action] = &both(r#"{"percent":5}"#);
const TO_20: &[Action] = &both(r#"{"percent":20}"#);
const TO_50: &[Action] = &both(r#"{"percent":50}"#);
const TO_100: &[Action] = &both(r#"{"percent":100}"#);
const HANG: &[Action] = &[Action {
    target: ActionTarget::Vendor,
    method: "POST",
    path: "/debug/faults",
    body: r#"{"faults":["hang"]}"#,
    only: None,
}];

/// Sets the percentage while the servers run.
const fn both(body: &'static str) -> [Action; 2] {
    let to = Action { target: ActionTarget::Server, method: "PUT", path: "/debug/rollout", body, only: Some("broken") };
    [to, Action { only: Some("broken-8"), ..to }]
}

/// The time between two tokens, in both profiles.
const GAP: Duration = millis(250);
/// A health check this fast counts as unaffected, in token gaps.
const FLAT: f64 = 0.4;

/// `asynchronous` are the numbers of async streams at 5, 50 and 100 %; the larger pool has `pool` threads.
const fn claims(asynchronous: [f64; 3], pool: f64) -> [Claim; 20] {
    [
        Claim::at_least(1.0, "health-sync p90, at 0 %", Figure::gaps(AT_0, GAP)),
        Claim::at_least(1.0, "health-sync p90, at 5 %: no better", Figure::gaps(AT_5, GAP)),
        Claim::at_least(1.0, "health-sync p90, at 20 %: no better", Figure::gaps(AT_20, GAP)),
        Claim::at_least(1.0, "health-sync p90, at 50 %: no better", Figure::gaps(AT_50_SMALL, GAP)),
        Claim::at_least(1.0, "health-sync p99, vendor hangs", Figure::gaps(FAILING, GAP)),
        Claim::exactly(pool, "fallback calls, vendor hangs", started("broken")),
        Claim::at_most(FLAT, "health-sync p90, vendor hangs", Figure::gaps(FAILING_FIXED, GAP)),
        Claim::exactly(0.0, "fallback calls, vendor hangs", started("fixed")),
        Claim::exactly(asynchronous[2], "streams that say async_failure", FAILED_FAST).of_fixed_server(),
        Claim::exactly(asynchronous[2], "streams that failed, vendor hangs", lost("fixed")),
        Claim::exactly(asynchronous[0], "streams answered async, at 5 %", answered_async("at-5")).condition(),
        Claim::exactly(asynchronous[1], "streams answered async, at 50 %", answered_async("at-50")).condition(),
        Claim::exactly(asynchronous[2], "streams answered async, at 100 %", answered_async(LOADED)).condition(),
        Claim::at_most(FLAT, "health-sync p50, at 50 %", Figure::gaps(AT_50, GAP)).condition(),
        Claim::at_most(FLAT, "health-sync p90, at 100 %", Figure::gaps(AT_100, GAP)).condition(),
        Claim::at_most(FLAT, "health-sync p90, at 100 %", Figure::gaps(AT_100_SMALL, GAP)).condition(),
        Claim::at_least(asynchronous[2], "calls hung by the vendor", HUNG).pressure(),
        Claim::exactly(asynchronous[2], "streams that failed, vendor hangs", lost("control")).control(),
        Claim::exactly(0.0, "fallback calls, vendor hangs", started("control")).control(),
        Claim::at_most(FLAT, "health-sync p90, vendor hangs", Figure::gaps(FAILING_CONTROL, GAP)).control(),
    ]
}

const AT_0: &Figure = &Figure::p90("broken", "at-0", "health_sync");
const AT_5: &Figure = &Figure::p90("broken", "at-5", "health_sync");
const AT_20: &Figure = &Figure::p90("broken", "at-20", "health_sync");
const AT_50: &Figure = &Figure::probe("broken", "at-50", "health_sync", ProbeFigure::Latency(Quantile::P50));
const AT_50_SMALL: &Figure = &Figure::p90("broken-8", "at-50", "health_sync");
const AT_100: &Figure = &Figure::p90("broken", LOADED, "health_sync");
const AT_100_SMALL: &Figure = &Figure::p90("broken-8", LOADED, "health_sync");
const FAILING: &Figure = &Figure::p99("broken", "failing", "health_sync");
const FAILING_FIXED: &Figure = &Figure::p90("fixed", "failing", "health_sync");
const FAILING_CONTROL: &Figure = &Figure::p90("control", "failing", "health_sync");
const FAILED_FAST: Figure = Figure::streams("fixed", "failing", StreamFigure::Method("async_failure"));
const HUNG: Figure = Figure::vendor("control", "failing", VendorFigure::Failed);

const fn answered_async(phase: &'static str) -> Figure {
    Figure::streams("broken", phase, StreamFigure::Method("async"))
}

const fn started(arm: &'static str) -> Figure {
    Figure::vendor(arm, "failing", VendorFigure::Started)
}

const fn lost(arm: &'static str) -> Figure {
    Figure::streams(arm, "failing", StreamFigure::Lost)
}
