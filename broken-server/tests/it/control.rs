//! The control's limits: what it holds, what it gives back, what it tries again.

mod faults;
mod leaving;
mod limits;
mod outcomes;

use std::time::Duration;

/// So long that a test which had to wait for it would fail.
const NEVER: Duration = Duration::from_secs(3600);

const STREAM: &str = "/chat/stream";
const WHOLE: &str = "/llm";
