//! What an error of the HTTP client means.

use std::error::Error;

use crate::errors::{Failure, UpstreamFailure};

/// What an error of the HTTP client means.
pub(super) fn failure(error: reqwest::Error) -> Failure {
    // The error's own text leaves the cause out, and the log needs it.
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    if error.is_connect() { UpstreamFailure::Unreachable(text).into() } else { UpstreamFailure::Broken(text).into() }
}
