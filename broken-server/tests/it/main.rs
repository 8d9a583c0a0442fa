//! The server with a mock vendor, over real sockets: each mistake is wrong in its one way, and right in all others.
//!
//! The contract and the limits of the control are tested in `conformance`, the symptoms themselves by the labs of
//! loadgen.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

mod support;

mod symptoms;

mod disconnects;
mod health;
mod vendor_failures;

mod shutdown;

mod program;
mod watchdog;
