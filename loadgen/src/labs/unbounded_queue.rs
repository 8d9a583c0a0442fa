//! Any number of requests may wait for a permit, for any time.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, MetricFigure, Phase, Profile,
    RequestFigure, VendorFigure, at, flags,
};
use crate::result::{MetricName, Quantile};
use crate::traffic::{Request, Schedule};

pub(super) fn lab() -> Lab {
    Lab {
        name: "unbounded-queue",
        group: Group::Calls,
        mistake: "any number of requests wait for a permit, for any time: over capacity nobody is rejected, and soon \
                  nobody is answered before leaving",
        fix: "a queue with a length and a timeout: a request whose predicted wait is longer is rejected at once, with \
              Retry-After",
        fix_file: "fixed-server/src/state.rs",
        repair_file: "broken-server/src/mistake.rs",
        proves_not: "that queues are wrong (a short one keeps the permits in use), or what becomes of rejected requests \
                     that all come back at once",
        by_hand: ByHand::NeedsItsLab(
            "It shows when more calls arrive than the vendor can answer, from clients that give up, as in its lab.",
        ),
        normal: profile(&Numbers { idle: secs(1), hold: secs(5), growing: millis(2500) }),
        fast: profile(&Numbers { idle: millis(500), hold: secs(2), growing: millis(1500) }),
    }
}

struct Numbers {
    idle: Duration,
    /// How long users are watched once the broken server's queue is as long as their patience.
    hold: Duration,
    /// Between the two looks at the queue of jobs.
    growing: Duration,
}

/// A call of 300 ms.
const VENDOR: &str = "--tokens 3 --ttft 100ms --inter-token 100ms";
const PERMITS: u32 = 6;
/// Calls a second.
const CAPACITY: f64 = 20.0;
const OFFERED: f64 = 60.0;
/// A tenth of the queue timeout.
const AT_ONCE_MS: f64 = 50.0;
/// How long a user stays: four calls. The longest wait in the bounded queue and its call take 0.8 s.
const PATIENCE: Duration = millis(1200);

fn profile(n: &Numbers) -> Profile {
    let limits = format!("--max-in-flight {PERMITS} --queue-timeout 500ms --call-timeout 3s --sla 6s");
    let users = Load::new("users", Request::whole()).schedule(Schedule::poisson(OFFERED)).disconnecting_after(PATIENCE);
    let jobs = || Load::new("jobs", Request::whole()).schedule(Schedule::rate(OFFERED));
    Profile {
        vendor: flags(VENDOR),
        arms: vec![Arm::broken().flags(&limits), Arm::control().flags(&limits), Arm::fixed().flags(&limits)],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.idle),
            Phase::new(LOADED, "at 60/s").adds(users).settle(PATIENCE + millis(800)).hold(n.hold),
            Phase::new("gone", "users gone").hold(PATIENCE + millis(100)),
            Phase::new("early", "at first").adds(jobs()).hold(secs(1)),
            Phase::new("late", "later").adds(jobs()).hold(n.growing),
        ],
        probes: vec![HEALTH_ASYNC],
        drain: Duration::ZERO,
        claims: claims(n),
        ..Profile::default()
    }
}

fn claims(n: &Numbers) -> Vec<Claim> {
    let users = |arm, what| at(arm, LOADED).load("users").calls(what);
    let answered = |arm| users(arm, RequestFigure::CompletedPerSecond);
    let goodput = |arm| Claim::at_least(0.9 * CAPACITY, "users answered per second", answered(arm));
    let left = |arm| Claim::exactly(0, "users who left unanswered", users(arm, RequestFigure::Disconnected));
    // A few requests are predicted to be in time and are not: they are rejected after the queue timeout.
    let rejected = |arm| users(arm, RequestFigure::RejectionLatency(Quantile::P90));
    let with_retry_after = |arm| users(arm, RequestFigure::WithRetryAfter(429));
    let queue = |arm, phase| at(arm, phase).metric(MetricName::new("llm_queue_length"), MetricFigure::Value);
    let grows = |arm| queue(arm, "late").over(queue(arm, "early"));
    let short = |arm| Claim::at_most(10, "jobs in the queue, later", queue(arm, "late"));
    let busy = |arm| {
        let in_use = at(arm, LOADED).vendor(VendorFigure::ActiveThroughout);
        Claim::at_least(PERMITS - 1, "calls at the vendor throughout", in_use)
    };
    let cancelled = at("broken", LOADED).ledger(LedgerFigure::Cancelled);
    let watched = n.hold.as_secs_f64();
    vec![
        Claim::exactly(0, "users answered per second", answered("broken")),
        Claim::at_least(CAPACITY * watched, "calls cancelled at the vendor", cancelled),
        Claim::at_least(2, "jobs in the queue, later over early", grows("broken")),
        goodput("fixed"),
        left("fixed"),
        Claim::at_most(AT_ONCE_MS, "time to a rejection, p90", rejected("fixed")),
        Claim::exactly(100, "429s with Retry-After", with_retry_after("fixed")),
        short("fixed"),
        // The vendor is as busy for nobody as it would be for somebody.
        busy("broken").condition(),
        Claim::at_least(0.9 * OFFERED * watched, "users", users("control", RequestFigure::Requested)).pressure(),
        busy("control").pressure(),
        goodput("control").control(),
        left("control").control(),
        short("control").control(),
    ]
}
