/// Every fault at every endpoint, and what is tried again.
mod faults;
/// Clients that leave, at each stage.
mod leaving;
/// Limits on how much runs at once, and how long for.
mod limits;
/// Exactly one outcome for each request.
mod outcomes;

use std::time::Duration;

/// So long that a test which had to wait for it would fail.
const NEVER: Duration = Duration::from_secs(3600);

const STREAM: &str = "/chat/stream";
const WHOLE: &str = "/llm";
