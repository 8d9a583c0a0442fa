//! The HTTP conversation, written down once.
//!
//! Every program of this workspace speaks or judges the same dialect: OpenAI's chat completions
//! towards the vendor, and the servers' own shorter `/chat/stream` towards their users. This crate
//! has its types, its Server-Sent Events and its error bodies. It does no I/O and is not async, and
//! it names no type of the `http` crate, because actix-web and axum use different versions of it.
//!
//! Read in this order:

/// The key in a request's `Authorization`.
pub mod authorization;
/// A number of bytes, as flags and messages write it.
pub mod byte_size;
pub mod chat;
pub mod completion;
pub mod error;
pub mod health;
mod json;
pub mod ledger;
/// One model of the list.
pub mod models;
/// Which requests may change a running program.
pub mod operator;
pub mod outcome;
pub mod response;
pub mod retry_after;
pub mod sse;
pub mod stream;
/// The vendor's address.
pub mod upstream;
pub mod upstream_rejection;

/// Largest body of a request to a server's own routes, in bytes (1 MiB). Over it: 413.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Largest body of a request to OpenAI's routes, in bytes (8 MiB), where no flag says otherwise: an image is sent
/// as text in it.
pub const RELAYED_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Largest body that the vendor takes, in bytes (32 MiB), where no flag says otherwise: more than a server passes
/// on, which may have made it longer by a model's name.
pub const VENDOR_BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Response header that says how a server ran the stream: `async` or `blocking`.
pub const STREAM_METHOD_HEADER: &str = "x-stream-method";

/// Header that carries a request's id: the client's own, or one made by the server.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// Request header that names the session a call belongs to.
pub const SESSION_ID_HEADER: &str = "x-session-id";

/// Prefix of the headers that steer the mock vendor for one request (`X-Mock-Tokens`, ...).
/// The servers pass them on only when started with `--allow-mock-headers`.
pub const MOCK_HEADER_PREFIX: &str = "x-mock-";
