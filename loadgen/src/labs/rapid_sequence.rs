//! Twelve calls one after another, of which the third fails: which of the causes that the source names does that?

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Figure, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, Phase, Profile,
    StepFigure, Upstream, Variant, at, flags,
};
use crate::traffic::{CYCLE, CycleCall, ExpectedAnswer, Request, Step};

pub(super) fn lab() -> Lab {
    Lab {
        name: "rapid-sequence",
        group: Group::Operations,
        mistake: "calls go out without regard to the vendor's quota of tokens, and its 429 becomes a 500; the source \
                  blames four other causes as well",
        fix: "a limit that counts tokens as the vendor does, and a retry when the vendor says so",
        fix_file: "fixed-server/src/stack.rs",
        repair_file: "broken-server/src/call_style/retry.rs",
        proves_not: "that the vendor of the source had a quota, which only its own logs can tell: the run shows that \
                     a quota does all that was reported, and that none of the five causes does it without one",
        by_hand: ByHand::NeedsItsLab(
            "It shows when twelve calls are made one after another and the vendor has a quota of tokens, as in its \
             lab.",
        ),
        normal: profile(&Numbers { ttft: millis(100), gap: millis(2), window: secs(1), timeout: secs(3) }),
        fast: profile(&Numbers { ttft: millis(50), gap: millis(1), window: millis(600), timeout: millis(1500) }),
    }
}

struct Numbers {
    ttft: Duration,
    gap: Duration,
    /// The interval of the vendor's quota.
    window: Duration,
    /// What is 30 s in the source: the watchdog's time-out, that of a call, and the wait for a connection.
    timeout: Duration,
}

/// Tokens that the vendor allows in its interval: more than the largest call has, fewer than the first three.
const QUOTA: u32 = 7_000;
/// Room for the largest call, of 4,249 tokens.
const BURST: u32 = 4_300;
/// The phase with a fifth of the tokens.
const LOW: &str = "low";
/// The phase with what the source's script sends.
const SCRIPT: &str = "script";

fn profile(n: &Numbers) -> Profile {
    let ms = |duration: Duration| format!("{}ms", duration.as_millis());
    let quota = format!("{QUOTA}/{}", ms(n.window));
    let vendor = format!("--quota-tokens {quota}");
    let limited = || Upstream::Vendor(flags(&vendor));
    let timeout = ms(n.timeout);
    let (watchdog, database) = (format!("--worker-timeout {timeout}"), format!("--pool-timeout {timeout}"));
    let vendor_timeout = format!("--vendor-timeout {timeout}");
    let all = format!("{watchdog} {database} {vendor_timeout}");
    // Shorter than the third call, the longest, and the eighth, and longer than all others.
    let too_short = format!("--vendor-timeout {}", ms(n.ttft + n.gap * 191));
    let variants = [
        Variant::new("throttling", "--causes throttling").with_vendor(&vendor),
        Variant::new("no-quota", &all),
        Variant::new("watchdog", format!("--causes watchdog {watchdog}")),
        Variant::new("database", format!("--causes database {database}")),
        Variant::new("client", "--causes client"),
        Variant::new("timeout", format!("--causes timeout {vendor_timeout}")),
        Variant::new("short-timeout", format!("--causes timeout {too_short}")),
    ];
    let mut arms = vec![Arm::broken().mistake_flags(&all).calling(limited())];
    arms.extend(Arm::broken().in_variants(&variants));
    arms.push(Arm::control().calling(limited()));
    arms.push(Arm::fixed().flags(format!("--token-limit {quota} --token-burst {BURST}")).calling(limited()));
    // The time of all answers, one after another.
    let answers = CYCLE.iter().map(|call| n.ttft + n.gap * call.answer_tokens).sum::<Duration>();
    let tokens = CYCLE.iter().map(|call| call.answer_tokens).max().unwrap_or(0);
    Profile {
        vendor: flags(&format!("--tokens {tokens} --ttft {} --inter-token {}", ms(n.ttft), ms(n.gap))),
        arms,
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(300)),
            Phase::new(LOADED, "24,944 tokens").adds(cycle(CycleCall::prompt, 1.0)).until_done(9 * n.window),
            Phase::new(LOW, "a fifth of the tokens").adds(cycle(CycleCall::prompt, 0.2)).until_done(5 * n.window / 2),
            Phase::new(SCRIPT, "the source's script")
                .only("broken")
                .adds(cycle(CycleCall::prompt_in_source, 1.0))
                .until_done(answers * 6 / 5),
        ],
        probes: vec![HEALTH_ASYNC],
        probe_rate: 4.0,
        drain: millis(100),
        claims: claims(),
        ..Profile::default()
    }
}

/// The twelve calls with a share of their tokens, each with a prompt of its own.
fn cycle(prompt: fn(&CycleCall) -> String, share: f64) -> Load {
    let step = |call: CycleCall| {
        let body = call.body("mock-llm", &prompt(&call));
        let request = Request::post("/api/v1/chat/completions", body, ExpectedAnswer::Completion).user("demo");
        Step::new(call.number.to_string(), request)
    };
    Load::sequence("cycle", CYCLE.iter().map(|call| step(call.scaled(share))).collect())
}

fn claims() -> Vec<Claim> {
    let calls = |arm: &str| at(arm, LOADED).steps(StepFigure::Answered);
    let first = |arm: &str| at(arm, LOADED).steps(StepFigure::FirstFailure);
    let all_12 = |name: &str, figure: Figure| Claim::exactly(12, name, figure);
    let failed = |name: &str, arm: &str| Claim::exactly(3, name, first(arm));
    let refused = |arm: &str| at(arm, LOADED).ledger(LedgerFigure::Refused);
    let alone = |arm: &str| all_12("calls answered, this cause alone", calls(arm)).condition();
    vec![
        failed("first call to fail, all causes and a quota", "broken"),
        failed("the same, with the other four fixed", "broken-throttling"),
        Claim::at_least(1, "calls answered 500", at("broken", LOADED).steps(StepFigure::Status(500))),
        all_12("calls answered", calls("fixed")),
        Claim::exactly(0, "429s of the vendor", refused("fixed")).of_fixed_server(),
        all_12("calls answered, a fifth of the tokens", at("broken", LOW).steps(StepFigure::Answered)).condition(),
        all_12("calls answered, the source's script", at("broken", SCRIPT).steps(StepFigure::Answered)).condition(),
        alone("broken-watchdog"),
        alone("broken-database"),
        alone("broken-client"),
        alone("broken-timeout"),
        all_12("calls answered, all five causes, no quota", calls("broken-no-quota")).condition(),
        failed("first call to fail, a time-out under its length", "broken-short-timeout").condition(),
        Claim::at_most(
            50,
            "longest call, of all twelve",
            at("broken-no-quota", LOADED).steps(StepFigure::LongestShare),
        )
        .condition(),
        Claim::exactly(12, "connections to the vendor", at("broken-client", LOADED).ledger(LedgerFigure::Connections))
            .condition(),
        Claim::exactly(
            23_778,
            "prompt tokens that the vendor counted",
            at("broken-no-quota", LOADED).ledger(LedgerFigure::PromptTokens),
        )
        .pressure(),
        Claim::at_least(1, "429s of the vendor", refused("control")).pressure(),
        all_12("calls answered", calls("control")).control(),
    ]
}
