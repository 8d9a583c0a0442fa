//! A mock LLM vendor that fails on demand and counts what it serves.
//!
//! `mock-llm` answers OpenAI's chat completions as slowly as a real model, and keeps a ledger of the requests and
//! generations. It is a program (see its README) and a library for tests:
//!
//! ```
//! # async fn example() -> Result<(), mock_llm::StartError> {
//! use std::time::Duration;
//!
//! let mock = mock_llm::MockLlm::builder().tokens(5).inter_token(Duration::from_millis(10)).start().await?;
//! let base_url = mock.url(); // http://127.0.0.1:PORT
//! // ... call it from the code under test ...
//! assert_eq!(mock.ledger().active, 0);
//! # Ok(())
//! # }
//! ```
//!
//! Read in this order: the listening socket, the path of a request, an answer and its tokens, what all
//! requests share.

mod builder;
mod connection;
mod server;

mod completions;
mod debug;
mod mock_headers;
mod routes;
mod unread_body;

mod abort;
mod failure;
mod http;
mod rate_limit_headers;

mod answer;
mod answer_response;
mod answer_spec;
mod chunks;
mod generation;
mod streamed_answer;
mod token_schedule;

mod generation_slots;
mod histogram;
mod ledger;
mod metrics;
mod quota_enforcer;
mod vendor;

pub mod args;
pub mod faults;
pub mod latency;
pub mod profile;
pub mod quota;
pub mod settings;
pub mod text;

pub use builder::{MockLlm, MockLlmBuilder, StartError};
pub use profile::Profile;
pub use server::{BoxFuture, bind, run};
pub use settings::Settings;
