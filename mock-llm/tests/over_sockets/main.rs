//! The vendor as its callers see it, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod client;

mod answers;
mod faults;
mod leaving;
mod ledger;
mod limits;
mod operator;
mod seeds;
