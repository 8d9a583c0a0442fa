//! A share of the streams is asynchronous; when one fails, the blocking path is tried.

use std::time::Duration;

use super::common::{flat, gaps, millis, secs};
use crate::lab::{
    Action, Arm, BASELINE, ByHand, Claim, Figure, Group, LOADED, Lab, Load, Phase, Profile, RequestFigure,
    VendorFigure, at, flags,
};

pub(super) fn lab() -> Lab {
    Lab {
        name: "rollout",
        group: Group::Threads,
        mistake: "the async path is rolled out by percentage and falls back to the blocking one on failure: when the \
                  vendor fails, all requests are back on the threads",
        fix: "no fallback: a failure is reported at once, with X-Stream-Method: async_failure",
        fix_file: "fixed-server/src/api/answer.rs",
        repair_file: "broken-server/src/call_style/once.rs",
        proves_not: "that a rollout by percentage is wrong: it is the way to start. But a few percent do not show the \
                     fault, and a small pool shows it even when few requests still block",
        by_hand: ByHand::NeedsItsLab(
            "It shows when streams are read asynchronously (--rollout-percent 100) and the vendor fails, as in its \
             lab. Here all streams still use threads, as in pool-exhaustion.",
        ),
        normal: profile(&Numbers {
            tokens: 40,
            pool: 40,
            streams: 60,
            first_token_timeout: secs(2),
            settle: millis(800),
            hold: millis(1500),
            drain: millis(3500),
        }),
        fast: profile(&Numbers {
            tokens: 12,
            pool: 12,
            streams: 20,
            first_token_timeout: secs(1),
            settle: millis(300),
            hold: millis(450),
            drain: millis(2200),
        }),
    }
}

struct Numbers {
    tokens: u32,
    /// Threads of the larger pool; the smaller has 8.
    pool: u32,
    streams: u32,
    first_token_timeout: Duration,
    settle: Duration,
    hold: Duration,
    drain: Duration,
}

const RAMP: Duration = millis(200);

/// One attempt, so that a second call can only come from the fallback.
fn profile(n: &Numbers) -> Profile {
    let mistake = |threads: u32| {
        format!("--blocking-threads {threads} --first-token-timeout {}ms", n.first_token_timeout.as_millis())
    };
    let limits = format!("--first-token-timeout {}ms --attempts 1", n.first_token_timeout.as_millis());
    // The clients disconnect at the end of their phase, so that the next starts with an empty pool.
    let streams = || Load::streams(n.streams).over(RAMP);
    let at_percent = |name: String, percent: u32| {
        // Sets the percentage while the servers run.
        let set = Action::call("PUT", "/debug/rollout", format!(r#"{{"percent":{percent}}}"#));
        Phase::new(name, format!("{percent} % async"))
            .action(set.clone().only("broken"))
            .action(set.only("broken-8"))
            .adds(streams().disconnecting_after(n.settle + n.hold + millis(300)))
            .settle(n.settle)
            .hold(n.hold)
    };
    let failing = Phase::new("failing", "vendor hangs")
        .action(Action::faults(&["hang"]))
        .adds(streams())
        .settle(n.first_token_timeout * 3 / 5)
        .hold(n.first_token_timeout);
    let mut phases = vec![Phase::new(BASELINE, "idle").hold(n.hold)];
    phases.extend([0, 5, 20, 50].map(|percent| at_percent(format!("at-{percent}"), percent).of_mistake()));
    phases.extend([at_percent(LOADED.to_owned(), 100), failing]);

    Profile {
        vendor: flags(&format!("--tokens {} --ttft 250ms --inter-token 250ms", n.tokens)),
        arms: vec![
            Arm::broken().flags(mistake(n.pool)),
            Arm::broken().named("broken-8").flags(mistake(8)),
            Arm::control().flags("--blocking-threads 8").flags(&limits),
            Arm::fixed().flags(&limits),
        ],
        phases,
        probe_timeout: n.first_token_timeout * 3 / 5,
        drain: n.drain,
        claims: claims(n),
        ..Profile::default()
    }
}

fn claims(n: &Numbers) -> Vec<Claim> {
    let late = |name: &str, figure: Figure| Claim::at_least(1.0, name, gaps(figure));
    let sync = |arm, phase| at(arm, phase).p90("health_sync");
    let fallback_calls = |calls: u32, arm| {
        Claim::exactly(calls, "fallback calls, vendor hangs", at(arm, "failing").vendor(VendorFigure::Started))
    };
    let failed = |arm| {
        let lost = at(arm, "failing").streams(RequestFigure::Lost);
        Claim::exactly(n.streams, "streams that failed, vendor hangs", lost)
    };
    let failed_fast = at("fixed", "failing").streams(RequestFigure::Method("async_failure"));
    let answered_async = |percent: u32, phase: &str| {
        let answered = at("broken", phase).streams(RequestFigure::Method("async"));
        Claim::exactly(n.streams * percent / 100, format!("streams answered async, at {percent} %"), answered)
            .condition()
    };
    vec![
        late("health-sync p90, at 0 %", sync("broken", "at-0")),
        late("health-sync p90, at 5 %: no better", sync("broken", "at-5")),
        late("health-sync p90, at 20 %: no better", sync("broken", "at-20")),
        late("health-sync p90, at 50 %: no better", sync("broken-8", "at-50")),
        late("health-sync p99, vendor hangs", at("broken", "failing").p99("health_sync")),
        fallback_calls(n.pool, "broken"),
        flat("health-sync p90, vendor hangs", sync("fixed", "failing")),
        fallback_calls(0, "fixed"),
        Claim::exactly(n.streams, "streams that say async_failure", failed_fast).of_fixed_server(),
        failed("fixed"),
        answered_async(5, "at-5"),
        answered_async(50, "at-50"),
        answered_async(100, LOADED),
        flat("health-sync p50, at 50 %", at("broken", "at-50").p50("health_sync")).condition(),
        flat("health-sync p90, at 100 %", sync("broken", LOADED)).condition(),
        flat("health-sync p90, at 100 %", sync("broken-8", LOADED)).condition(),
        Claim::at_least(n.streams, "calls hung by the vendor", at("control", "failing").vendor(VendorFigure::Failed))
            .pressure(),
        failed("control").control(),
        fallback_calls(0, "control").control(),
        flat("health-sync p90, vendor hangs", sync("control", "failing")).control(),
    ]
}
