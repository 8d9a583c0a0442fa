//! The HTTP vocabulary shared by all programs of this workspace.
//!
//! Every program sends, receives or measures the same messages: OpenAI's chat completions to and from the vendor, and
//! the servers' own, shorter `/chat/stream`. This crate has their types, Server-Sent Events and error bodies. It does no
//! I/O and is not async, and uses no type of the `http` crate, because actix-web and axum need different versions of it.

pub mod authorization;
pub mod byte_size;
pub mod chat;
pub mod completion;
pub mod error;
pub mod faults;
pub mod health;
mod json;
pub mod ledger;
pub mod models;
pub mod operator;
pub mod outcome;
pub mod prometheus;
pub mod response;
pub mod retry_after;
pub mod sse;
pub mod stream;
pub mod upstream;
pub mod upstream_rejection;

/// Largest body of a request to a server's own routes, in bytes (1 MiB). A larger one gets 413.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Default for the largest body of a request to OpenAI's routes, in bytes (8 MiB): it can contain images as text.
pub const RELAYED_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Default for the largest body that the vendor accepts, in bytes (32 MiB): more than a server passes on, which may have
/// added a model's name.
pub const VENDOR_BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Response header that says how a server ran the stream: `async` or `blocking`.
pub const STREAM_METHOD_HEADER: &str = "x-stream-method";

/// Header with a request's id: the client's own, or one made by the server.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// Request header with the id of the session that a call belongs to.
pub const SESSION_ID_HEADER: &str = "x-session-id";

/// Prefix of the headers that control the mock vendor for one request (`X-Mock-Tokens`, ...). The servers pass them on
/// only with `--allow-mock-headers`.
pub const MOCK_HEADER_PREFIX: &str = "x-mock-";
