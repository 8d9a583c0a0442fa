//! The server against a mock vendor, over real sockets: each mistake shows its symptom and nothing
//! else, and the control shows none.
//!
//! Row by row the contract is checked in the crate `conformance`, and the control's limits too.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

mod support;

/// What each mistake does to the health routes.
mod symptoms;

mod disconnects;
mod health;
mod vendor_failures;

mod shutdown;

mod program;
