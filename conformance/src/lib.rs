//! The contract as tests: what both servers answer, checked from the outside.
//!
//! Nothing here knows a server's code. A test starts the real program on a free port, lets it call a
//! vendor whose behaviour the test decides, and reads what comes back over a real socket. Every row
//! of the contract is one function in `tests/contract/`, and [`on_every_server`] runs it against every
//! server of [`servers`]. What the contract lets differ between servers is data in that table.
//!
//! `cargo test -p conformance` does not build the programs under test: run `make test`, or
//! `cargo build --workspace --bins` first.
//!
//! Read in this order:

/// What came back, whole: status, headers, body, and whether the body ended as it should.
pub mod answer;
/// The error body, held to its format, and searched for what must not be in it.
pub mod error_shape;
/// A stream under way, read event by event.
pub mod event_stream;
/// What a vendor really does, read from a file.
pub mod peculiarity;
/// A program as a child process: started, watched, told to stop, never left behind.
pub mod program;
/// The Prometheus text format, read strictly.
pub mod prometheus;
/// Bytes on a socket, for what an HTTP client would hide.
pub mod raw;
/// One server under test, running, and a client to talk to it.
pub mod running;
/// The table of servers under test, and the macro that runs a row against all of them.
pub mod servers;
/// `/chat/stream` and OpenAI's streams, held to their formats.
pub mod transcript;
/// A vendor that plays a script, for what the mock does not do.
pub mod vendor;
/// Waiting for a condition that has to come true.
pub mod wait;
