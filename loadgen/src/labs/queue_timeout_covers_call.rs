//! The queue timeout is around the wait and the call.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, MetricFigure, PerRequestFigure,
    Phase, Profile, RequestFigure, VendorFigure, at, flags,
};
use crate::result::{MetricName, Quantile};

pub(super) fn lab() -> Lab {
    Lab {
        name: "queue-timeout-covers-call",
        group: Group::Calls,
        mistake: "the queue timeout is around the wait and the call: it ends healthy calls, and as nobody can tell which \
                  of the two it has ended, it is tried again",
        fix: "the queue timeout ends with the wait, and the call has a timeout of its own",
        fix_file: "fixed-server/src/stack.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that a queue timeout should be as long as a call (it should be as long as a request may wait), or that \
                     calls need no limit: the call timeout is that limit",
        by_hand: ByHand::NeedsItsLab(
            "It shows when calls take longer than the queue timeout, and its lab sends such calls. With the default of 5 s \
             the first token of the streams here comes in time.",
        ),
        normal: profile(&Numbers { queue_timeout: millis(500) }),
        fast: profile(&Numbers { queue_timeout: millis(300) }),
    }
}

struct Numbers {
    /// All other times are multiples of it: a call takes 2, the call timeout is 6, the SLA 12.
    queue_timeout: Duration,
}

/// As many as there are permits: nobody waits.
const CALLS: u32 = 20;
/// That wait while all permits are held.
const WAITING: u32 = 10;
/// The longest pause before a second attempt.
const BACKOFF: Duration = millis(500);
const WAIT: &str = "waiting";
const SHORT: &str = "short";
const HANGING: &str = "hanging";

fn profile(n: &Numbers) -> Profile {
    let queue = n.queue_timeout;
    let [gap, call, queue_ms] = [queue / 5, queue * 6, queue].map(|time| time.as_millis());
    let limits = format!(
        "--max-in-flight {CALLS} --queue-timeout {queue_ms}ms --call-timeout {call}ms --sla {sla}ms --attempts 2 \
         --min-attempt-time {call}ms --retry-reserve 100",
        sla = 2 * call
    );
    // Two queue timeouts, and the pause between them.
    let twice = queue * 2 + BACKOFF + millis(200);
    let (tokens, spare) = (10, millis(250));
    let holders = Load::streams(CALLS).named("holders").tokens(tokens).inter_token((twice + spare) / (tokens - 1));
    let hanging = Load::calls(CALLS).fault("hang");
    Profile {
        vendor: flags(&format!("--tokens {tokens} --ttft {gap}ms --inter-token {gap}ms")),
        arms: vec![Arm::broken().flags(&limits), Arm::control().flags(&limits), Arm::fixed().flags(&limits)],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(300)),
            Phase::new("full", "full").adds(holders).settle(queue / 5 + millis(50)).hold(millis(50)),
            // First, so that no call has ended from which the wait could be predicted: all wait for the timeout.
            Phase::new(WAIT, "waiting").adds(Load::calls(WAITING)).hold(twice),
            Phase::new("over", "over").hold(spare + millis(150)),
            Phase::new(LOADED, format!("of {:?}", 2 * queue)).adds(Load::calls(CALLS)).until_done(twice + secs(1)),
            Phase::new(SHORT, format!("of {:?}", queue / 5)).adds(Load::calls(CALLS).tokens(1)).until_done(secs(1)),
            Phase::new(HANGING, "hanging").adds(hanging).until_done(queue * 6 + secs(1)),
        ],
        probes: vec![HEALTH_ASYNC],
        drain: Duration::ZERO,
        claims: claims(),
        ..Profile::default()
    }
}

fn claims() -> Vec<Claim> {
    let calls = |arm, phase, what| at(arm, phase).calls(what);
    let rise = |arm, phase, name: &str| at(arm, phase).metric(MetricName::new(name), MetricFigure::Increase);
    let starts = |arm, of| at(arm, LOADED).ledger(LedgerFigure::AttemptsPerRequest(of));
    let most = PerRequestFigure::At(Quantile::Max);
    let answered =
        |arm, count: u32| Claim::exactly(count, "long calls answered", calls(arm, LOADED, RequestFigure::Completed));
    let call_timeouts = |arm, count: u32| {
        Claim::exactly(count, "call timeouts of calls that hang", rise(arm, HANGING, "llm_call_timeout_total"))
    };
    let waits = |arm, count: u32| {
        Claim::exactly(count, "waits for a permit, of 10 calls", rise(arm, WAIT, "llm_semaphore_wait_seconds_count"))
    };
    let once = |arm| Claim::exactly(1, "starts a request, most", starts(arm, most));
    let timed_out = RequestFigure::ErrorType("queue_timeout");
    let in_queue = |arm| Claim::exactly(WAITING, "waits ended by the queue timeout", calls(arm, WAIT, timed_out));
    let not_started = |arm| Claim::exactly(0, "calls started for them", at(arm, WAIT).ledger(LedgerFigure::Started));
    let short = |arm| Claim::exactly(CALLS, "short calls answered", calls(arm, SHORT, RequestFigure::Completed));
    let waited = rise("broken", LOADED, "llm_semaphore_wait_seconds_sum");
    let active = at("control", WAIT).vendor(VendorFigure::ActiveThroughout);
    vec![
        answered("broken", 0),
        Claim::exactly(2, "starts a request, least", starts("broken", PerRequestFigure::Least)),
        Claim::exactly(2, "starts a request, most", starts("broken", most)),
        Claim::exactly(CALLS, "queue timeouts", rise("broken", LOADED, "llm_queue_timeout_total")),
        call_timeouts("broken", 0),
        waits("broken", 2 * WAITING),
        answered("fixed", CALLS),
        once("fixed"),
        call_timeouts("fixed", CALLS),
        waits("fixed", WAITING),
        in_queue("fixed"),
        not_started("fixed"),
        // It is no queue that has timed out, and calls that are short enough do not show the mistake.
        Claim::at_most(0.1, "seconds that all calls waited", waited).condition(),
        short("broken").condition(),
        Claim::at_least(CALLS, "streams at the vendor: all permits", active).pressure(),
        Claim::exactly(CALLS, "calls at the vendor", at("control", LOADED).ledger(LedgerFigure::Started)).pressure(),
        Claim::at_least(CALLS, "calls that hang", at("control", HANGING).vendor(VendorFigure::Failed)).pressure(),
        answered("control", CALLS).control(),
        once("control").control(),
        call_timeouts("control", CALLS).control(),
        waits("control", WAITING).control(),
        in_queue("control").control(),
        not_started("control").control(),
        short("control").control(),
    ]
}
