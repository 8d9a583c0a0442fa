//! The server over real sockets, against the mock vendor: what it holds, what it gives back, and what
//! it counts. The vendor's ledger is the judge of what the vendor saw. The rows of the contract, seen
//! from outside, are in `conformance`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

mod admission;
mod bodies;
mod cors;
mod database;
mod database_down;
mod disconnects;
mod full_pool;
mod keep_alive;
mod keys;
mod outcomes;
#[cfg(feature = "postgres")]
mod postgres;
mod refused;
mod retries;
mod server;
mod sessions;
mod shutdown;
mod slow_clients;
mod vendor_connections;
mod vendors;
