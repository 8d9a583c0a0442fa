//! The contract as tests: how both servers respond, checked from outside.
//!
//! Nothing here uses a server's code. A test starts the real program on a free port with a vendor that the test
//! scripts, and reads the responses over a real socket. Every row of the contract is one function in
//! `tests/contract/`, and [`on_every_server`] runs it against every server of [`servers`]. That table holds what
//! the contract allows to differ between servers; a mistake that is not in it is held to what the control does.
//!
//! `cargo test -p conformance` does not build the programs under test: run `make test`, or
//! `cargo build --workspace --bins` first.
//!
//! Read in this order:

pub mod answer;
pub mod error_shape;
pub mod event_stream;
pub mod listed;
pub mod metrics;
pub mod peculiarity;
pub mod postgres;
pub mod program;
pub mod raw;
pub mod running;
pub mod servers;
pub mod temp_dir;
pub mod transcript;
pub mod vendor;
pub mod wait;
