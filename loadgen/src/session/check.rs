//! A health check by hand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::SessionArm;
use super::shared::Shared;
use super::state::{CheckState, SessionEvent};
use crate::http::Endpoint;
use crate::measure::{ProbeKind, get_health};
use crate::numbers::in_millis;

/// The most health checks by hand of an arm that have no answer at once.
pub(super) const CHECKS_MAX: usize = 8;

/// Time after which one counts as timed out.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends the check that needs a thread of the pool, and publishes its outcome. Its start has been published.
pub(super) async fn check(shared: Arc<Shared>, arm: SessionArm, id: u64, server: Endpoint) {
    let kind = &ProbeKind::defaults()[0];
    let sent = Instant::now();
    let answer = timeout(TIMEOUT, get_health(&server, kind)).await;
    let ms = in_millis(sent.elapsed());
    let (state, reason) = match answer {
        Ok(Ok(answer)) if (200..300).contains(&answer.status) => (CheckState::Answered, None),
        Ok(Ok(answer)) => (CheckState::Failed, Some(format!("status {}", answer.status))),
        Ok(Err(error)) => (CheckState::Failed, Some(error.to_string())),
        Err(_) => (CheckState::TimedOut, None),
    };
    shared.check_ended(SessionEvent::Check { arm, id, state, ms, reason }, arm);
}
