//! The vendor as its clients see it, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod client;

mod answers;
mod disconnect;
mod faults;
mod ledger;
mod limits;
mod operator;
mod seeds;
