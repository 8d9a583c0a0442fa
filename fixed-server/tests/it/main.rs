//! The server over real sockets, against the mock vendor: what it holds, what it gives back, and what
//! it counts. The vendor's ledger is the judge of what the vendor saw. The rows of the contract, seen
//! from outside, are in `conformance`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

/// Rates, quotas, users, priorities, readiness.
mod admission;
/// Bodies of requests: what they may cost before anybody has looked into them.
mod bodies;
/// Pages of other origins.
mod cors;
/// Databases for tests: SQLite, and PostgreSQL where a server can be started.
mod database;
/// A database that is down, locked or out of connections.
mod database_down;
/// Clients that leave, at each stage.
mod disconnects;
/// Every fault at every endpoint.
mod faults;
/// A blocking pool that somebody else has filled.
mod full_pool;
/// Answers that are begun before their first token.
mod keep_alive;
/// Keys: added, used, revoked.
mod keys;
/// Limits on how much runs at once, and what is held meanwhile.
mod limits;
/// Exactly one outcome for each request.
mod outcomes;
/// A server of PostgreSQL's.
#[cfg(feature = "postgres")]
mod postgres;
/// What calls that are refused leave behind, and whom they keep out.
mod refused;
/// What is tried again, when, and how often.
mod retries;
/// A server under test and its client.
mod server;
/// Sessions, and what their calls leave behind.
mod sessions;
/// Stopping, at each stage.
mod shutdown;
/// Clients that send or read too slowly, or send too much.
mod slow_clients;
/// Vendors that are slow or die, by a script of bytes.
mod vendors;
