//! All that can go wrong with a call is one error.

use std::time::Duration;

use wire::faults::FaultCase;
use wire::outcome::Outcome;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Case, Cells, Claim, Group, LOADED, Lab, Load, Phase, Profile, RetryAfter, TableFigure,
    VendorFigure, at, flags, whole_run,
};
use crate::traffic::Request;

pub(super) fn lab() -> Lab {
    Lab {
        name: "one-error-for-all",
        group: Group::Calls,
        mistake: "one `catch` for all that can go wrong with a call: an error status is a success, a full queue is the \
                  vendor's fault, and each failure is tried again alike",
        fix: "typed failures, from which follow status, retries, Retry-After and what is counted",
        fix_file: "fixed-server/src/upstream/response.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that these statuses are the only right ones: a gateway may answer 503 where this one answers 502. What \
                     matters is that each cause has one of its own, and that retries and counts follow from it",
        by_hand: ByHand::NeedsItsLab(
            "It shows when the vendor fails, each time in another way: its lab sends one request for each.",
        ),
        normal: profile(&Numbers {
            call_timeout: millis(1500),
            queue_timeout: millis(500),
            at_most: [secs(10), secs(6), secs(4), secs(2)],
        }),
        fast: profile(&Numbers {
            call_timeout: millis(600),
            queue_timeout: millis(300),
            at_most: [millis(4400), millis(2200), millis(1300), millis(900)],
        }),
    }
}

struct Numbers {
    /// How long a call, a first token and a silence may take.
    call_timeout: Duration,
    queue_timeout: Duration,
    /// How long the phases with cases may take. Half of it is for the pauses before retries, which have jitter.
    at_most: [Duration; 4],
}

/// Of whole answers. The slow ones come first: from how long the last calls took, a server predicts how long the next
/// one has to wait.
const WHOLE: [&str; 9] = [
    "hang",
    "drip=50ms",
    "malformed-after=2",
    "reset",
    "status=500",
    "status=503;first=1",
    "status=400",
    "status=401",
    "status=429;retry-after=900",
];
const STREAMED: [&str; 5] =
    ["reset-after=2", "error-event-after=0;first=1", "status=503", "status=429", "status=429;retry-after=900"];
/// Those above, a call that waits too long, and one that finds the queue full.
const CASES: u32 = 16;
const QUEUE_FULL: &str = "queue-full";
const PERMITS: u32 = 2;

fn listed(fault: &str) -> &'static FaultCase {
    FaultCase::of(fault).unwrap_or_else(|| unreachable!("{fault} is in the list of wire"))
}

fn profile(n: &Numbers) -> Profile {
    let [whole, streamed, full, queue_full] = n.at_most;
    let (call, queue) = (n.call_timeout.as_millis(), n.queue_timeout.as_millis());
    let limits = format!(
        "--attempts 2 --retry-reserve 100 --call-timeout {call}ms --first-token-timeout {call}ms --idle-timeout {call}ms \
         --max-in-flight {PERMITS} --max-queued 1 --queue-timeout {queue}ms"
    );
    let holders = Load::streams(PERMITS).named("holders").tokens(200);
    let waiting = Load::calls(1).named("waiting");
    let too_late = Case::new("queue timeout", Request::whole(), Cells::new(504, 0, Outcome::QueueTimeout));
    let rejected = Cells::new(429, 0, Outcome::Overloaded).retry_after(RetryAfter::Some);
    let wrong = |arm, phase| at(arm, phase).table(TableFigure::WrongCells);
    let all_wrong = |arm| whole_run(arm).table(TableFigure::WrongCells);
    let run = |arm| Claim::exactly(CASES, "cases run", whole_run(arm).table(TableFigure::CasesRun)).pressure();
    let permits = |arm| {
        let active = at(arm, QUEUE_FULL).vendor(VendorFigure::ActiveThroughout);
        Claim::at_least(PERMITS, "calls at the vendor: all permits", active).pressure()
    };
    Profile {
        vendor: flags("--tokens 4 --ttft 20ms --inter-token 50ms"),
        arms: vec![Arm::broken().flags(&limits), Arm::control().flags(&limits), Arm::fixed().flags(&limits)],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(300)),
            Phase::new("whole", "whole").cases(WHOLE.map(|fault| Case::whole(listed(fault)))).until_done(whole),
            Phase::new("streamed", "streams")
                .cases(STREAMED.map(|fault| Case::stream(listed(fault))))
                .until_done(streamed),
            // From here on all permits are held, to the end.
            Phase::new(LOADED, "full").adds(holders).settle(millis(200)).cases([too_late]).until_done(full),
            Phase::new(QUEUE_FULL, "queue full")
                .adds(waiting)
                .settle(millis(150))
                .cases([Case::new("queue full", Request::whole(), rejected)])
                .until_done(queue_full),
        ],
        probe_rate: 10.0,
        drain: millis(0),
        claims: vec![
            Claim::at_least(16, "wrong cells, whole answers", wrong("broken", "whole")),
            Claim::at_least(8, "wrong cells, streams", wrong("broken", "streamed")),
            Claim::at_least(2, "wrong cells, queue timeout", wrong("broken", LOADED)),
            Claim::at_least(3, "wrong cells, queue full", wrong("broken", QUEUE_FULL)),
            Claim::exactly(0, "wrong cells", all_wrong("fixed")),
            run("broken"),
            run("control"),
            run("fixed"),
            permits("broken"),
            permits("control"),
            permits("fixed"),
            Claim::exactly(0, "wrong cells", all_wrong("control")).control(),
        ],
        ..Profile::default()
    }
}
