//! Mistake `raw-sse`.
//!
//! What is wrong: the text of a token is written as it is after `data:`, a failure as one more event like all others, and
//! the end of an answer not at all. To a client all three look alike: lines.
//! Symptom: paragraphs, lists and code arrive without their line ends, and some tokens not at all. An answer that the
//! vendor cut off ends like a complete one, or with an error as its last words. This server's own metrics are right:
//! `llm_outcomes_total{outcome="stream_error"}` rises.
//! Fix: fixed-server/src/body/format.rs, where a token is JSON, a failure is `event: error`, and only a complete stream has
//! `[DONE]`.
//! Source: 000, "Step 3": `yield f"data: {content}\n\n"`, and on an exception `yield f"data: {error_payload}\n\n"`. Its
//! "Solution 2" has JSON for the tokens, and the same end and error.
//! What is right: the status is sent with the first token, so a failure before it is an HTTP error. The source's generator
//! begins after the 200. OpenAI's routes pass the vendor's events on.

use wire::sse;

use crate::api;
use crate::format::TokenFormat;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Control;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "raw-sse",
    group: Group::Calls,
    symptom: "answers lose their line ends, and clients take those that broke off for complete",
    limits: true,
    routes: |_| Ok(api::routes_writing(RAW, Control)),
    ..Mistake::USUAL
};

// ANCHOR: raw-sse
// MISTAKE raw-sse: nothing tells a client text, failure and end apart.
const RAW: TokenFormat = TokenFormat {
    // A line end in the text ends the field, and an empty line the event. What follows is lost, unless it looks like SSE.
    token: |text| format!("data: {text}\n\n"),
    // JSON, but without a name that says what it is. Text may be JSON too.
    failure: |error| sse::data(error),
    // The body ends, as it does when the answer was cut off.
    end: "",
};
// ANCHOR_END: raw-sse
