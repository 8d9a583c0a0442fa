//! The contract, section by section, each row on every server. The crate's documentation says how the programs are
//! built.

mod after_first_token;
mod before_first_token;
mod body_size;
mod chat_stream;
mod completions;
mod connections;
mod disconnect;
mod early_keep_alive;
/// Endless input, and pauses of the machine.
mod endurance;
mod faults;
mod headers;
mod health;
mod keys;
/// fixed-server's own limits.
mod limits;
mod llm;
mod malformed;
mod metrics;
mod other_mistakes;
mod outcomes;
/// The behaviour of real vendors.
mod peculiarities;
mod permits;
mod programs;
mod rates;
mod retries;
mod slow_readers;
mod token_count;
mod users;
