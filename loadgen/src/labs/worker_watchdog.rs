//! A watchdog kills the worker whose event loop is blocked, with every stream that it has.

use std::time::Duration;

use super::common::{GAP, millis, peak, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, Load, MetricFigure, Phase, Profile, RequestFigure,
    VendorFigure, at, flags, whole_run,
};
use crate::result::MetricName;

pub(super) fn lab() -> Lab {
    Lab {
        name: "worker-watchdog",
        group: Group::Operations,
        mistake: "a blocking call on the event loop, under a watchdog: no heartbeat is sent while it waits, and the \
                  worker is killed with every stream that it has",
        fix: "the call is awaited: the event loop goes on sending heartbeats, however long a request takes",
        fix_file: "fixed-server/src/upstream.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that a higher time-out would help: the streams then stand still for as long as the call takes. \
                     Nor that a watchdog is wrong: it kills what is broken",
        by_hand: ByHand::NeedsItsLab(
            "Its lab makes a call that takes longer than the watchdog allows its worker to be silent. Here only streams \
             are sent, and they are asynchronous.",
        ),
        normal: profile(secs(3)),
        fast: profile(secs(1)),
    }
}

/// A worker that handles one request at a time, as gunicorn's `sync` workers do: streams block it too.
const SYNC: &str = "broken-sync";
/// The phase in which the streams begin.
const STREAMS: &str = "streams";
const STREAM_COUNT: u32 = 10;

/// With this time-out of the watchdog: 30 s in gunicorn.
fn profile(timeout: Duration) -> Profile {
    let watchdog = format!("--worker-timeout {}ms", timeout.as_millis());
    let replaced = millis(500);
    // At the end of each phase every worker that was killed has been replaced.
    let (streaming, calling) = (timeout + replaced, timeout * 2 + replaced);
    let tokens = (streaming + calling).as_millis() / GAP.as_millis();
    let twice_as_long = Load::calls(1).tokens(1).ttft(timeout * 2);
    // Counted from the start of the run.
    let killed = |arm: &str| at(arm, LOADED).metric(MetricName::new("workers_killed_total"), MetricFigure::Value);
    let lost = |arm: &str| whole_run(arm).streams(RequestFigure::Lost);
    let answered = |arm: &str| whole_run(arm).calls(RequestFigure::Completed);
    let tokens_sent = |arm: &str| at(arm, STREAMS).vendor(VendorFigure::TokensSent);
    let none_killed = |arm| Claim::exactly(0, "workers killed", killed(arm));
    let none_lost = |arm| Claim::exactly(0, "streams lost", lost(arm));
    let is_answered = |arm| Claim::exactly(1, "the call answered, at twice the time-out", answered(arm));
    let all_at_vendor =
        |arm| Claim::exactly(STREAM_COUNT + 1, "streams and the call, at once at the vendor", peak(arm)).pressure();
    Profile {
        vendor: flags(&format!("--tokens {tokens} --ttft 50ms --inter-token {}ms", GAP.as_millis())),
        arms: vec![
            Arm::broken().flags(&watchdog),
            Arm::broken().named(SYNC).running("blocked-executor").flags(&watchdog),
            Arm::control().flags(&watchdog),
            Arm::fixed().flags(&watchdog),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(300)),
            Phase::new(STREAMS, format!("{STREAM_COUNT} streams")).adds(Load::streams(STREAM_COUNT)).hold(streaming),
            Phase::new(LOADED, "one long call").adds(twice_as_long).hold(calling),
        ],
        probes: vec![HEALTH_ASYNC],
        drain: millis(700),
        claims: vec![
            Claim::at_least(1, "workers killed", killed("broken")),
            Claim::exactly(STREAM_COUNT, "streams lost: all of the worker's", lost("broken")),
            Claim::exactly(0, "the call answered", answered("broken")),
            none_killed("fixed"),
            none_lost("fixed"),
            is_answered("fixed"),
            // The source expects a 500. A worker that is killed answers nothing.
            Claim::exactly(0, "the call answered 500", whole_run("broken").calls(RequestFigure::Status(500)))
                .condition(),
            // Streams that flow are killed too where a worker handles one request at a time.
            Claim::at_least(2, "workers killed, one for a stream", killed(SYNC)).condition(),
            Claim::exactly(STREAM_COUNT, "streams lost", lost(SYNC)).condition(),
            Claim::at_least(1, "tokens of the first one by then", tokens_sent(SYNC)).condition(),
            all_at_vendor("broken"),
            all_at_vendor("control"),
            all_at_vendor("fixed"),
            none_killed("control").control(),
            none_lost("control").control(),
            is_answered("control").control(),
        ],
        ..Profile::default()
    }
}
