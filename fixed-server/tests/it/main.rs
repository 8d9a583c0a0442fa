//! The server over real sockets, against the mock vendor: what it holds, releases and counts. The vendor's ledger tells
//! what the vendor saw. The contract, which both servers keep, is tested in `conformance`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

mod admission;
mod bodies;
mod cors;
mod database;
mod database_down;
mod disconnects;
mod full_pool;
mod keys;
mod outcomes;
mod rejected;
mod retries;
mod server;
mod sessions;
mod shutdown;
mod slow_clients;
mod vendor_connections;
mod vendors;
