//! Section by section what the servers promise, each row on every server. See the crate's own
//! documentation for how the programs get here.

mod after_first_token;
mod before_first_token;
mod body_size;
mod chat_stream;
mod completions;
mod connections;
mod disconnect;
/// What comes without end, and pauses of the machine.
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
/// What vendors really send.
mod peculiarities;
mod permits;
mod programs;
mod retries;
