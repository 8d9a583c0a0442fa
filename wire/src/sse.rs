//! Server-Sent Events: encoding, and a decoder with bounded memory for pieces of any size.

mod decode;

use serde::Serialize;

pub use decode::{DecodeError, Decoder, Event, Part};

/// Content type of an event stream.
pub const CONTENT_TYPE: &str = "text/event-stream";

/// The event that ends a complete stream. A stream that ends without it is truncated.
pub const DONE: &str = "data: [DONE]\n\n";

/// Default for the largest event accepted from a vendor, in bytes (8 MiB): an image in one event is 1 to 3 MiB. It bounds
/// the memory that one stream can take.
pub const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// `value` as an event without a name.
#[must_use]
pub fn data(value: &impl Serialize) -> String {
    format!("data: {}\n\n", to_json(value))
}

/// `value` as an event called `name`.
#[must_use]
pub fn named(name: &str, value: &impl Serialize) -> String {
    format!("event: {name}\ndata: {}\n\n", to_json(value))
}

/// JSON without line ends: serde_json escapes those in strings and writes none of its own.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| unreachable!("a wire type is valid JSON: {error}"))
}
