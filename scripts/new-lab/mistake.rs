//! Mistake `@NAME@`.
//!
//! What is wrong: TODO: in one or two sentences.
//! Symptom: TODO: what an operator sees, and where.
//! Fix: fixed-server/src/stack.rs, where TODO: what is right there.
//! Source: TODO: 000 to 003 and the place in it, or a public report (`repo#number`).

use crate::api;
use crate::errors::Failure;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "@NAME@",
    group: Group::@GROUP_TYPE@,
    symptom: "TODO: what to look for, on one line",
    limits: true,
    routes: |_| Ok(api::routes(@TYPE@)),
    ..Mistake::USUAL
};

pub(crate) struct @TYPE@;

impl Steps for @TYPE@ {
    // ANCHOR: @NAME@
    // MISTAKE @NAME@: TODO: replace this step, or another one of mistakes/none.rs, by the wrong one. This one is right.
    async fn ask<T, Answered: Future<Output = Result<T, Failure>>>(
        &self,
        _state: &AppState,
        ask_vendor: &impl Fn() -> Answered,
    ) -> Result<T, Failure> {
        ask_vendor().await
    }
    // ANCHOR_END: @NAME@
}
