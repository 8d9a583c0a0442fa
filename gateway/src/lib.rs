//! What a gateway to an LLM decides, whatever it is built with: what a failure means and what a client learns of it,
//! what is counted, and which values its flags take.
//!
//! It names no type of a web framework, nor of the `http` crate: actix-web and axum use different versions of it.
//! What remains in each server is the code that turns these decisions into its framework's types.

mod failure;
mod http_client;
mod http_error;
mod upstream_failure;

mod call_limits;
mod early_keep_alive;
mod per_user_limits;
mod quota_limits;
mod upstream_limits;
mod upstream_url;
pub mod values;
mod vendor_route;

mod attempts;

mod confidential;
mod database_url;
mod key_hash;
mod users;

mod active_call;
mod database_metrics;
mod histogram;
mod http_metrics;
mod llm_metrics;
mod log_lines;
mod metrics_text;
mod model_rate;
mod open_stream;
mod workers_killed;

mod body_memory_full;
mod request_id;
mod shorten;
mod summary_request;
mod token_counter;
mod write_timeout;

pub use active_call::ActiveCall;
pub use attempts::make_attempts;
pub use body_memory_full::BodyMemoryFull;
pub use call_limits::CallLimits;
pub use confidential::Confidential;
pub use database_metrics::DatabasePoolMetrics;
pub use database_url::DatabaseUrl;
pub use early_keep_alive::EarlyKeepAlive;
pub use failure::Failure;
pub use http_client::http_client;
#[cfg(feature = "tls")]
pub use http_client::https_client;
pub use http_error::HttpError;
pub use http_metrics::HttpMetrics;
pub use key_hash::{InvalidKey, KeyHash};
pub use llm_metrics::LlmMetrics;
pub use log_lines::LogLinesDropped;
pub use metrics_text::{METRICS_CONTENT_TYPE, metrics_text};
pub use model_rate::ModelRate;
pub use open_stream::OpenStream;
pub use per_user_limits::PerUserLimits;
pub use quota_limits::{CallQuota, ModelQuota, Quota, TokenQuota};
pub use request_id::{ID_BYTES_MAX, is_valid_id, request_id};
pub use shorten::shorten;
pub use summary_request::SummaryRequest;
pub use token_counter::{INLINE_BYTES, TokenCounter};
pub use upstream_failure::UpstreamFailure;
pub use upstream_limits::UpstreamLimits;
pub use upstream_url::UpstreamUrl;
pub use users::{User, UserPermit, Users};
pub use vendor_route::Route;
pub use workers_killed::WorkersKilled;
pub use write_timeout::{WriteTimeout, write_timeout};
