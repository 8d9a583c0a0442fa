//! `loadgen serve` over real programs, as a page and as curl see it. The page itself is tested in a browser
//! (`make test-page`).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

mod bad_input;
mod driving;
mod ending;
mod guarded;
mod page;
#[path = "../test_programs/mod.rs"]
mod test_programs;
