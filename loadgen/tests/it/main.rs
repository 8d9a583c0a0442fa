//! The commands over real sockets, with real programs. One test program in place of nine: nearly all of their time is
//! waiting, so they wait at the same time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod clients;
mod deployments;
#[path = "../diagnose/mod.rs"]
mod diagnose;
mod engine;
mod killed;
mod make_up;
#[path = "../page_rules/mod.rs"]
mod page_rules;
mod readme;
#[path = "../result_schema/mod.rs"]
mod result_schema;
mod run_load;
#[path = "../scripted/mod.rs"]
mod scripted;
mod sequence;
mod session;
mod several_machines;
#[path = "../test_programs/mod.rs"]
mod test_programs;
mod written;
