//! What a gateway to an LLM decides, whatever it is built with: what went wrong and what a client is told of it,
//! what is counted, and which values its flags take.
//!
//! It names no type of a web framework, nor of the `http` crate: actix-web and axum use different versions of it.
//! What remains in each server is the code that turns these decisions into its framework's types.

mod body_memory_full;
mod call_limits;
mod failure;
mod http_client;
mod http_error;
mod log_lines;
mod quota_limits;
mod request_id;
mod shorten;
mod signals;
mod upstream_failure;
mod upstream_limits;
mod upstream_url;
pub mod values;

pub use body_memory_full::BodyMemoryFull;
pub use call_limits::CallLimits;
pub use failure::Failure;
pub use http_client::http_client;
#[cfg(feature = "tls")]
pub use http_client::https_client;
pub use http_error::HttpError;
pub use log_lines::LogLinesDropped;
pub use quota_limits::{Quota, QuotaLimits};
pub use request_id::{ID_BYTES_MAX, is_valid_id, request_id};
pub use shorten::shorten;
pub use signals::Signals;
pub use upstream_failure::UpstreamFailure;
pub use upstream_limits::UpstreamLimits;
pub use upstream_url::UpstreamUrl;
