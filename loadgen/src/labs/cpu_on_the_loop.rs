//! The tokens of large prompts are counted on the event loop.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Figure, Group, HEALTH_ASYNC, LOADED, Lab, Load, MetricFigure, Phase, ProcessFigure,
    Profile, RequestFigure, at, flags,
};
use crate::result::MetricName;
use crate::traffic::{Request, Schedule};

pub(super) fn lab() -> Lab {
    Lab {
        name: "cpu-on-the-loop",
        group: Group::Threads,
        mistake: "the tokens of a large prompt are counted on the event loop: it needs the processor, and nothing else \
                  runs until it is done",
        fix: "a thread counts what is large, one prompt at a time, while the event loop goes on",
        fix_file: "fixed-server/src/chat.rs",
        repair_file: "broken-server/src/chat.rs",
        proves_not: "that threads make it faster: the same processor time is used. On one processor, it is taken from \
                     the event loop all the same, in slices",
        by_hand: ByHand::NeedsItsLab(
            "Its lab sends prompts of 7 MiB, whose tokens are counted. Here all prompts are short.",
        ),
        normal: profile(secs(12)),
        fast: profile(secs(5)),
    }
}

/// Bytes of a prompt's text. With its JSON around it, it fits into the largest body that is accepted by default.
const PROMPT_BYTES: usize = 7 * 1024 * 1024;

/// The estimate of its tokens.
const TOKENS: u32 = PROMPT_BYTES as u32 / 4;
/// Of each server, at least.
const PROMPTS: u32 = 2;

/// A request with a large prompt: a text of this repository, again and again.
static BODY: LazyLock<Bytes> = LazyLock::new(|| {
    const TEXT: &str = include_str!("../../../ARCHITECTURE.md");
    let escaped = serde_json::Value::from(TEXT).to_string();
    // Without its quotes.
    let piece = &escaped[1..escaped.len() - 1];
    let pieces = PROMPT_BYTES / TEXT.len();
    let (head, tail) = (r#"{"model":"mock-llm","messages":[{"role":"user","content":""#, r#""}]}"#);
    let mut body = String::with_capacity(head.len() + piece.len() * pieces + tail.len());
    body += head;
    body.extend(std::iter::repeat_n(piece, pieces));
    body += tail;
    body.into()
});

/// The vendor's time for an answer, in which nothing is counted.
const ANSWER: Duration = millis(900);

/// Counts tokens at another time than the others, which would take the processor from it.
fn counting(arm: Arm, thirds: u32) -> Arm {
    arm.flags("--count-tokens").loads_later(ANSWER * thirds / 3)
}

/// For this long, one client sends a prompt, waits for the answer, and sends the next.
fn profile(loaded: Duration) -> Profile {
    let prompt = Request::completion().body(BODY.clone());
    let one_client = Load::new("calls", prompt).schedule(Schedule::concurrency(1));
    let metric = |arm: &str, name: &str, what| at(arm, LOADED).metric(MetricName::new(name), what);
    let count_ms = |arm: &str| metric(arm, "llm_prompt_count_seconds_sum", MetricFigure::IncreaseMs);
    let counted = |arm: &str| metric(arm, "llm_prompt_count_seconds_count", MetricFigure::Increase);
    let tokens = |arm: &str| metric(arm, "llm_prompt_tokens_total", MetricFigure::Increase);
    // The time that the server itself has measured, in the same run.
    let of_a_count = |arm: &str, latency: Figure| latency.over(count_ms(arm).over(counted(arm)));
    let p99 = |arm: &str| at(arm, LOADED).p99("health_async");
    let flat = |arm: &str| Claim::at_most(0.25, "health-async p99, of the time of a count", of_a_count(arm, p99(arm)));
    // More than the estimate of four bytes a token, because the vocabulary is small.
    let counts = |arm: &str| Claim::at_least(PROMPTS * TOKENS, "tokens counted", tokens(arm));
    let enough = |arm: &str| {
        let answered = at(arm, LOADED).calls(RequestFigure::Completed);
        Claim::at_least(PROMPTS, "prompts counted and answered", counted(arm).both(answered)).pressure()
    };
    let slowest = of_a_count("broken", at("broken", LOADED).slowest("health_async"));
    let busy = at("broken", LOADED).process(ProcessFigure::CpuMs).over(count_ms("broken"));
    Profile {
        vendor: flags(&format!("--tokens 1 --ttft {}ms", ANSWER.as_millis())),
        arms: vec![counting(Arm::broken(), 0), counting(Arm::control(), 1), counting(Arm::fixed(), 2)],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new(LOADED, "prompts").adds(one_client).hold(loaded),
        ],
        probes: vec![HEALTH_ASYNC],
        // Closer together than a fifth of a count, so that one comes when a count has just begun.
        probe_rate: 100.0,
        drain: secs(1),
        claims: vec![
            Claim::at_least(0.8, "health-async, slowest, of the time of a count", slowest),
            flat("fixed"),
            counts("fixed"),
            // It is work: a wait would take next to none.
            Claim::at_least(0.2, "processor time, of the time of the counts", busy).condition(),
            enough("broken"),
            enough("control"),
            enough("fixed"),
            flat("control").control(),
            counts("control").control(),
            counts("broken").pressure(),
        ],
        ..Profile::default()
    }
}
