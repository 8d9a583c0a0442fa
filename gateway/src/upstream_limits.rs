//! How long and how large the vendor's answers may be.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Args;

use crate::values::{at_least_one, timeout};

/// The limits of the vendor's answers. None is a total: a healthy stream may be as long as it likes.
#[derive(Debug, Clone, Copy, Args)]
pub struct UpstreamLimits {
    /// How long connecting to the vendor may take.
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = timeout, allow_hyphen_values = true)]
    pub connect_timeout: Duration,

    /// How long the vendor may take from the request to the first token of a stream (502).
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = timeout, allow_hyphen_values = true)]
    pub first_token_timeout: Duration,

    /// How long the vendor may send nothing after the first token; then the stream ends with an error event.
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = timeout, allow_hyphen_values = true)]
    pub idle_timeout: Duration,

    /// Largest event of the vendor's stream, in bytes; a larger one ends the stream with an error, and is not
    /// requested again. An image in one event takes 1 to 3 MiB.
    #[arg(long, default_value = "8388608", value_name = "N", value_parser = at_least_one, allow_hyphen_values = true)]
    pub max_event_bytes: NonZeroUsize,
}
