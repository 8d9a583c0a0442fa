//! One user with most of the requests, and one queue for all.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, Load, Phase, Profile, RequestFigure, VendorFigure,
    at, flags,
};
use crate::traffic::{Request, Schedule};

pub(super) fn lab() -> Lab {
    Lab {
        name: "noisy-neighbour",
        group: Group::Calls,
        mistake: "one queue for everybody, and no limit for one: a user with nine tenths of the requests gets nine tenths \
                  of the capacity, and the others are rejected with it",
        fix: "each user has a limit, and is rejected by it before the queue that all share",
        fix_file: "fixed-server/src/request.rs",
        repair_file: "broken-server/src/mistake.rs",
        proves_not: "that a limit makes users equal: within it, whoever sends more gets more; and a hundred users at \
                     their limit fill the queue as one did without",
        by_hand: ByHand::NeedsItsLab(
            "It shows when several users with keys send calls, and one of them far more than the server can do, as in \
             its lab.",
        ),
        normal: profile(&Numbers { idle: secs(1), hold: secs(11) }),
        fast: profile(&Numbers { idle: millis(500), hold: secs(4) }),
    }
}

struct Numbers {
    idle: Duration,
    hold: Duration,
}

/// A call of 200 ms.
const VENDOR: &str = "--tokens 2 --ttft 100ms --inter-token 100ms";
const PERMITS: u32 = 8;
/// Of one user, at once.
const USER_PERMITS: u32 = PERMITS / 2;
/// Calls a second, with all permits.
const CAPACITY: f64 = 40.0;
/// Calls a second: two and a half times the capacity.
const NOISY_RATE: f64 = 100.0;
const OTHERS: u32 = 9;
/// Calls a second, of each of the others.
const OTHERS_RATE: f64 = 1.0;
const NOISY: &str = "noisy";
/// Of all nine.
const OTHER: &str = "others";

fn profile(n: &Numbers) -> Profile {
    let names: Vec<_> = (1..=OTHERS).map(|number| format!("user-{number}")).collect();
    let keys: String = names.iter().map(|name| format!(" --api-key {name}-key")).collect();
    let limits = format!(
        "--max-in-flight {PERMITS} --queue-timeout 500ms --call-timeout 3s --sla 6s --user-max-in-flight {USER_PERMITS} \
         --api-key {NOISY}-key{keys} --database-pool-size 4"
    );
    let calls = |name: &str, user: &str, schedule| Load::new(name, Request::completion().user(user)).schedule(schedule);
    let loaded = Phase::new(LOADED, format!("at {NOISY_RATE}/s"))
        .adds(calls(NOISY, NOISY, Schedule::rate(NOISY_RATE)))
        .settle(secs(1))
        .hold(n.hold);
    let of_user = |phase: Phase, name: &String| phase.adds(calls(OTHER, name, Schedule::poisson(OTHERS_RATE)));
    Profile {
        vendor: flags(VENDOR),
        arms: vec![Arm::broken().flags(&limits), Arm::control().flags(&limits), Arm::fixed().flags(&limits)],
        phases: vec![Phase::new(BASELINE, "idle").hold(n.idle), names.iter().fold(loaded, of_user)],
        probes: vec![HEALTH_ASYNC],
        probe_rate: 10.0,
        drain: secs(1),
        claims: claims(n),
        ..Profile::default()
    }
}

fn claims(n: &Numbers) -> Vec<Claim> {
    let of = |arm, load, what| at(arm, LOADED).load(load).calls(what);
    let others = |arm| of(arm, OTHER, RequestFigure::CompletedShare);
    let answered = |arm, load| of(arm, load, RequestFigure::Completed);
    let per_second = |arm| of(arm, NOISY, RequestFigure::CompletedPerSecond);
    let throughout = |arm| at(arm, LOADED).vendor(VendorFigure::ActiveThroughout);
    let sent = NOISY_RATE * n.hold.as_secs_f64();
    let of_a_user = CAPACITY * f64::from(USER_PERMITS) / f64::from(PERMITS);
    let fair = |arm| {
        vec![
            Claim::at_least(99, "calls of the nine answered", others(arm)),
            Claim::at_most(1.1 * of_a_user, "calls of the one answered per second", per_second(arm)),
            Claim::at_least(
                0.6 * sent,
                "calls of the one rejected: user_limit",
                of(arm, NOISY, RequestFigure::ErrorType("user_limit")),
            ),
            Claim::exactly(100, "429s with Retry-After", of(arm, NOISY, RequestFigure::WithRetryAfter(429))),
        ]
    };
    [
        vec![
            Claim::at_most(60, "calls of the nine answered", others("broken")),
            Claim::apart(
                6.0,
                "of the one answered, over the nine's",
                answered("broken", NOISY),
                answered("broken", OTHER),
            ),
            Claim::at_least(PERMITS - 1, "calls at the vendor throughout", throughout("broken")).condition(),
        ],
        fair("fixed"),
        fair("control").into_iter().map(Claim::control).collect(),
        vec![
            Claim::at_least(0.9 * sent, "calls of the one", of("control", NOISY, RequestFigure::Requested)).pressure(),
            Claim::at_least(
                0.6 * f64::from(OTHERS) * OTHERS_RATE * n.hold.as_secs_f64(),
                "calls of the nine",
                of("control", OTHER, RequestFigure::Requested),
            )
            .pressure(),
            Claim::at_least(USER_PERMITS - 1, "calls at the vendor throughout", throughout("control")).pressure(),
        ],
    ]
    .concat()
}
