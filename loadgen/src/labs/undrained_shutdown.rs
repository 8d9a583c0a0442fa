//! A stop cuts the streams that are open, or waits for them without a limit.

use std::time::Duration;

use process::Signal;

use super::common::{millis, secs};
use crate::lab::{
    Action, Arm, BASELINE, ByHand, Claim, Group, LOADED, Lab, Load, Phase, Profile, RequestFigure, StopFigure,
    VendorFigure, at, flags, whole_run,
};
use crate::numbers::in_millis;
use crate::traffic::Request;

pub(super) fn lab() -> Lab {
    Lab {
        name: "undrained-shutdown",
        group: Group::Operations,
        mistake: "a stop closes the streams that are open, or waits for their end without a limit",
        fix: "a drain with a deadline: streams have a grace to end in, the rest get an error event, and the process ends",
        fix_file: "fixed-server/src/app.rs",
        repair_file: "broken-server/src/shutdown.rs",
        proves_not: "that a deployment loses no stream: one that is longer than the grace ends with an error event, and \
                     whatever kills the process within its grace cuts them all off",
        by_hand: ByHand::NeedsItsLab(
            "It shows when the server gets a signal to stop while streams are open, as in its lab.",
        ),
        normal: profile(&Numbers { gap: millis(150), hold: millis(700), grace: secs(3), watch: secs(10) }),
        fast: profile(&Numbers { gap: millis(100), hold: millis(500), grace: secs(2), watch: secs(5) }),
    }
}

struct Numbers {
    /// Between two tokens, and before the first.
    gap: Duration,
    hold: Duration,
    /// The shutdown grace, in whole seconds: actix checks once a second whether its connections are closed, for the
    /// first time 1.25 s after the signal.
    grace: Duration,
    /// From the signal to the end: longer than two graces.
    watch: Duration,
}

/// The streams that end within the grace.
const STREAMS: u32 = 10;
const TOKENS: u32 = 20;
/// The broken server that waits. The other one closes.
const WAITS: &str = "broken-waits";
const STOPPING: &str = "stopping";

fn profile(n: &Numbers) -> Profile {
    let gap = n.gap.as_millis();
    let grace = format!("--shutdown-grace {}s", n.grace.as_secs());
    let stuck = Load::new("stuck", Request::chat().fault("hang-after=2"));
    let signal_at = n.gap * 4;
    let streams = |arm, phase, what| at(arm, phase).streams(what);
    let stop = |arm, what| whole_run(arm).stop(what);
    let complete = |arm| Claim::exactly(STREAMS, "streams completed", streams(arm, LOADED, RequestFigure::Completed));
    let error_event = |arm| {
        let failed = streams(arm, STOPPING, RequestFigure::Failure("error event"));
        Claim::exactly(1, "stuck stream: error event", failed)
    };
    let exit =
        |within, arm| Claim::at_most(in_millis(n.grace + within), "exit after SIGTERM", stop(arm, StopFigure::Exit));
    let exit_code = |arm| Claim::exactly(0, "exit code", stop(arm, StopFigure::ExitCode));
    let at_vendor = |arm| {
        let peak = at(arm, STOPPING).vendor(VendorFigure::PeakActive);
        Claim::exactly(STREAMS + 1, "streams at the vendor", peak).pressure()
    };
    Profile {
        vendor: flags(&format!("--tokens {TOKENS} --ttft {gap}ms --inter-token {gap}ms")),
        arms: vec![
            Arm::broken().mistake_flags("--on-stop close").flags(&grace),
            Arm::broken().named(WAITS).mistake_flags("--on-stop wait").flags(&grace),
            Arm::control().flags(&grace),
            Arm::fixed().flags(&grace),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.hold),
            Phase::new(LOADED, format!("{STREAMS} streams"))
                .adds(Load::streams(STREAMS))
                .settle(millis(200))
                .hold(n.hold),
            Phase::new(STOPPING, "SIGTERM")
                .adds(stuck)
                .action(Action::signal(Signal::Term).at(signal_at))
                .hold(signal_at + n.watch + millis(200)),
        ],
        drain: millis(0),
        claims: vec![
            Claim::exactly(STREAMS, "streams cut off", streams("broken", LOADED, RequestFigure::Failure("broke off"))),
            Claim::at_least(in_millis(n.watch), "alive after SIGTERM", stop(WAITS, StopFigure::Alive)),
            complete("fixed"),
            error_event("fixed"),
            exit(millis(500), "fixed"),
            exit_code("fixed"),
            // So it waits for the stuck stream alone.
            complete(WAITS).condition(),
            at_vendor("broken"),
            at_vendor(WAITS),
            at_vendor("control"),
            at_vendor("fixed"),
            complete("control").control(),
            error_event("control").control(),
            exit(millis(1500), "control").control(),
            exit_code("control").control(),
        ],
        ..Profile::default()
    }
}
