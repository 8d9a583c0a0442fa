//! What is judged of servers whose faults are known. In one test program, because nearly all of its time is waiting, and
//! apart from tests that keep the processor busy, because most of it is judged by how long a health check takes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod closed_loop;
mod diagnose;
#[path = "../page_rules/mod.rs"]
mod page_rules;
#[path = "../result_schema/mod.rs"]
mod result_schema;
mod run;
#[path = "../scripted/mod.rs"]
mod scripted;
mod verify;
