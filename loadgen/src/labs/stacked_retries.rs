//! Two layers retry, each with a loop of its own.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Action, Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, MetricFigure,
    PerRequestFigure, Phase, Profile, RequestFigure, VendorFigure, at, flags,
};
use crate::result::{MetricName, Quantile};

pub(super) fn lab() -> Lab {
    Lab {
        name: "stacked-retries",
        group: Group::Calls,
        mistake: "the client and the code that uses it each have a retry loop: nine calls for each request, in waves, \
                  whatever Retry-After says",
        fix: "one layer retries, with one policy for all calls: full jitter, Retry-After, a budget",
        fix_file: "fixed-server/src/stack/retry.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that retries are wrong (against failures of single calls nothing is better), or how a vendor \
                     recovers: this one fails whatever comes",
        by_hand: ByHand::NeedsItsLab(
            "It shows when the vendor fails: its lab counts the calls that the vendor gets for each request.",
        ),
        normal: profile(&Numbers { idle: secs(1), requests: 120, spread: 0.4 }),
        fast: profile(&Numbers { idle: millis(500), requests: 50, spread: 0.5 }),
    }
}

struct Numbers {
    idle: Duration,
    requests: u32,
    /// Largest share of the requests with a retry within [`WINDOW`] where the waits have jitter. With few requests
    /// chance decides more.
    spread: f64,
}

/// In which retries are counted.
const WINDOW: Duration = millis(100);
/// Longer than three attempts with full jitter after a `Retry-After` of 1 s, which take 3.5 s.
const HOLD: Duration = millis(4500);

fn profile(n: &Numbers) -> Profile {
    let all = "--retry-budget 100 --retry-reserve 1000";
    let failing = Phase::new(LOADED, "failing")
        .action(Action::faults(&["status=503;retry-after=1"]))
        .adds(Load::calls(n.requests).over(WINDOW))
        .hold(HOLD);
    Profile {
        vendor: flags("--tokens 1"),
        arms: vec![
            Arm::broken().flags(all),
            Arm::broken().named("broken-1s").running("stacked-retries").flags(all).flags("--retry-jitter 1s"),
            Arm::control().flags(all),
            Arm::fixed().flags(all),
            Arm::fixed().named("fixed-20").flags("--retry-budget 20 --retry-reserve 0"),
        ],
        phases: vec![Phase::new(BASELINE, "idle").hold(n.idle), failing],
        probes: vec![HEALTH_ASYNC],
        drain: Duration::ZERO,
        claims: claims(n),
        ..Profile::default()
    }
}

fn claims(n: &Numbers) -> Vec<Claim> {
    let requests = f64::from(n.requests);
    let seen = |arm, what| at(arm, LOADED).ledger(what);
    let attempts = |arm, of| seen(arm, LedgerFigure::AttemptsPerRequest(of));
    let most = PerRequestFigure::At(Quantile::Max);
    let peak = |arm| seen(arm, LedgerFigure::MostRetriesWithin(WINDOW));
    let spread = |arm| Claim::at_most(n.spread * requests, "most retries within 100 ms", peak(arm));
    let three = |arm| Claim::at_most(3, "attempts a request, most", attempts(arm, most));
    let none_early = |arm| Claim::exactly(0, "calls before Retry-After", seen(arm, LedgerFigure::Early));
    let own_retries = at("broken", LOADED).metric(MetricName::new("llm_retries_total"), MetricFigure::Increase);
    let failed =
        |arm| Claim::exactly(n.requests, "requests that failed", at(arm, LOADED).calls(RequestFigure::Status(502)));
    vec![
        Claim::exactly(9, "attempts a request, least", attempts("broken", PerRequestFigure::Least)),
        Claim::exactly(9, "attempts a request, most", attempts("broken", most)),
        Claim::at_least(0.75 * requests, "most retries within 100 ms", peak("broken")),
        Claim::at_least(
            1,
            "calls before Retry-After a request, least",
            seen("broken", LedgerFigure::EarlyPerRequest(PerRequestFigure::Least)),
        ),
        three("fixed"),
        spread("fixed"),
        none_early("fixed"),
        failed("fixed"),
        Claim::at_most(1.2, "attempts a request, mean", attempts("fixed-20", PerRequestFigure::Mean)),
        none_early("fixed-20"),
        // A layer counts only its own.
        Claim::exactly(2 * n.requests, "retries in its own metric", own_retries).condition(),
        // The jitter of the sources' code is wide enough.
        spread("broken-1s").condition(),
        Claim::at_least(n.requests, "calls failed by the vendor", at("control", LOADED).vendor(VendorFigure::Failed))
            .pressure(),
        three("control").control(),
        spread("control").control(),
        none_early("control").control(),
        failed("control").control(),
    ]
}
