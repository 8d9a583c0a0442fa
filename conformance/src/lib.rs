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

pub mod answer;
pub mod error_shape;
pub mod event_stream;
pub mod metrics;
pub mod peculiarity;
pub mod program;
pub mod prometheus;
pub mod raw;
pub mod running;
pub mod servers;
pub mod transcript;
pub mod vendor;
pub mod wait;
