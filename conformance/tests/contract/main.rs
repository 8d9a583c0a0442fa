//! Section by section what the servers promise, each row on every server. See the crate's own
//! documentation for how the programs get here.

/// The vendor fails after it: an error event.
mod after_first_token;
/// The vendor fails before the first token: an HTTP error.
mod before_first_token;
/// Bodies at and over the limit.
mod body_size;
/// `POST /chat/stream`, when all is well.
mod chat_stream;
/// OpenAI's routes.
mod completions;
/// What becomes of a connection.
mod connections;
/// The client leaves.
mod disconnect;
/// What comes without end, and pauses of the machine.
mod endurance;
/// Identity and headers of every answer.
mod headers;
/// `/debug/health-*`, `/health`, `/ready`.
mod health;
/// Keys of OpenAI's routes.
mod keys;
/// fixed-server's own limits.
mod limits;
/// `POST /llm`.
mod llm;
/// Requests that are wrong: named, refused, nothing leaked.
mod malformed;
/// `/metrics`.
mod metrics;
/// The main rows for mistakes that differ in something else than in how they call the vendor.
mod other_mistakes;
/// What vendors really send.
mod peculiarities;
/// The programs as programs: flags, environment, signals, logs, exit codes.
mod programs;
