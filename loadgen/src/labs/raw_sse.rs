//! Token text, failures and the end of an answer all look alike to the client.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, Load, MetricFigure, Phase, Profile, RequestFigure,
    VendorFigure, at, flags,
};
use crate::result::MetricName;
use crate::traffic::Client;

pub(super) fn lab() -> Lab {
    Lab {
        name: "raw-sse",
        group: Group::Calls,
        mistake: "token text as it is after `data:`, a failure as one more event, and no mark at the end: line ends are \
                  lost, and an answer that was cut off looks complete",
        fix: "a token is JSON, a failure after the first token is `event: error`, and only a complete stream has [DONE]",
        fix_file: "fixed-server/src/body/format.rs",
        repair_file: "broken-server/src/format.rs",
        proves_not: "that SSE is the wrong format (JSON in `data:` is all it takes), or that every client takes the end of \
                     a connection for the end of an answer: with such a format it can do nothing else",
        by_hand: ByHand::NeedsItsLab(
            "It shows in the text, and in what becomes of streams that the vendor cuts off: its lab compares the texts.",
        ),
        normal: profile(&Numbers { streams: 24, of_each_fault: 8 }),
        fast: profile(&Numbers { streams: 10, of_each_fault: 4 }),
    }
}

struct Numbers {
    /// Complete streams whose texts are compared.
    streams: u32,
    /// Streams that the vendor cuts off in each way.
    of_each_fault: u32,
}

/// Texts of this length have line ends, text that looks like an event, and characters of several bytes, each of which the
/// vendor splits over two chunks.
const VENDOR: &str = "--tokens 100 --ttft 50ms --inter-token 25ms --split-characters";
/// After so many tokens: all ways in which a vendor's stream ends too soon.
const FAULTS: [&str; 6] =
    ["close-after=20", "cut-after=20", "reset-after=20", "malformed-after=20", "error-event-after=20", "hang-after=20"];
const CUT: &str = "cut";
const RAMP: Duration = millis(200);

/// As a page does that shows what arrives: it looks for `[DONE]` and for `event: error`, and otherwise has its answer
/// when the body ends.
fn page() -> Client {
    Client::default().takes_data_for_text().accepts_eof().keeps_text()
}

fn profile(n: &Numbers) -> Profile {
    let limits = "--idle-timeout 1500ms";
    let cut = FAULTS.into_iter().fold(Phase::new(CUT, "cut off"), |phase, fault| {
        let load = Load::streams(n.of_each_fault).named(fault.replace("-after=20", "")).over(RAMP).client(page());
        phase.adds(load.fault(fault))
    });
    let whole = Load::calls(1).client(Client::default().keeps_text());
    Profile {
        vendor: flags(VENDOR),
        arms: vec![Arm::broken().flags(limits), Arm::control().flags(limits), Arm::fixed().flags(limits)],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new(LOADED, "whole")
                .adds(Load::streams(n.streams).over(RAMP).client(page()))
                .adds(whole)
                .settle(millis(400))
                .hold(millis(800)),
            // Longer than the idle timeout, after which the streams end that hang.
            cut.until_done(secs(4)),
        ],
        probes: vec![HEALTH_ASYNC],
        claims: claims(n),
        ..Profile::default()
    }
}

fn claims(n: &Numbers) -> Vec<Claim> {
    let all_cut = n.of_each_fault * u32::try_from(FAULTS.len()).unwrap_or(u32::MAX);
    let streams = |arm, phase, what| at(arm, phase).streams(what);
    let texts = |arm, exactly| {
        let right = streams(arm, LOADED, RequestFigure::TextsAsWhole);
        Claim::exactly(exactly, "texts as in a whole answer", right)
    };
    let taken = |arm, exactly| {
        let completed = streams(arm, CUT, RequestFigure::Completed);
        Claim::exactly(exactly, "cut off, and taken for complete", completed)
    };
    let told = |arm, exactly| {
        let error_events = streams(arm, CUT, RequestFigure::Failure("error event"));
        Claim::exactly(exactly, "cut off, and the client learned it", error_events)
    };
    let counted = |arm| {
        let failed = MetricName::new("llm_outcomes_total").with("outcome", "stream_error");
        Claim::exactly(
            all_cut,
            "failed streams by its own metrics",
            at(arm, CUT).metric(failed, MetricFigure::Increase),
        )
    };
    let called = at("control", CUT).vendor(VendorFigure::Failed);
    let content = streams("broken", LOADED, RequestFigure::Completed);
    vec![
        texts("broken", 0),
        taken("broken", all_cut),
        told("broken", 0),
        texts("fixed", n.streams),
        taken("fixed", 0),
        told("fixed", all_cut),
        // Neither its clients nor the server notice anything of the texts, and the server knows of the failures.
        Claim::exactly(n.streams, "streams complete for their clients", content).condition(),
        counted("broken").condition(),
        Claim::exactly(all_cut, "calls cut off by the vendor", called).pressure(),
        texts("control", n.streams).control(),
        taken("control", 0).control(),
        told("control", all_cut).control(),
    ]
}
