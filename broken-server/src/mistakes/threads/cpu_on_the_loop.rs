//! Mistake `cpu-on-the-loop`.
//!
//! What is wrong: the tokens of a prompt are counted in the handler, on the event loop. That waits for nothing: it needs
//! the processor for as long as the prompt is large, and has no `.await` at which another request could run.
//! Symptom: with `--count-tokens`, each large prompt stops everything on its worker for as long as the count takes, both
//! health checks included. Other than in `blocked-executor` a processor is busy meanwhile.
//! What is right: small prompts, which are counted sooner than they could be handed to a thread.
//! Fix: fixed-server/src/chat.rs, where a thread does what is large, one prompt at a time.
//! Source: none of 000 to 003. vllm#24910: `/health` froze for 4.8 s at a prompt of 5.4 MB; litellm#26193: over 60 s in a
//! tokenizer, and the pods were killed.

use bytes::Bytes;

use crate::api;
use crate::chat::{Chat, Parse};
use crate::errors::Failure;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "cpu-on-the-loop",
    group: Group::Threads,
    symptom: "with --count-tokens, a large prompt stops everything while it is counted, with a processor busy",
    limits: true,
    routes: |_| Ok(api::routes(CpuOnTheLoop)),
    ..Mistake::USUAL
};

pub(crate) struct CpuOnTheLoop;

// ANCHOR: cpu-on-the-loop
impl Steps for CpuOnTheLoop {
    async fn read(&self, state: &AppState, body: Bytes, parse: Parse) -> Result<Chat, Failure> {
        // MISTAKE cpu-on-the-loop: in an async function, and all the same on the thread of the event loop.
        Ok(parse(&body, state.token_counter.as_deref())?)
    }
}
// ANCHOR_END: cpu-on-the-loop
