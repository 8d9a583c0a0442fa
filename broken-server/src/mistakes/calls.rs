//! Mistakes in calls to the vendor: queues, limits, retries, timeouts, streams.

use crate::mistake::Mistake;

pub(crate) mod buffered_stream;
pub(crate) mod bursty_limiter;
pub(crate) mod client_pool;
pub(crate) mod limiter_inside_permit;
pub(crate) mod lost_cleanup;
pub(crate) mod nested_permits;
pub(crate) mod no_client_timeout;
pub(crate) mod no_deadline;
pub(crate) mod noisy_neighbour;
pub(crate) mod one_error_for_all;
pub(crate) mod per_request_limits;
pub(crate) mod queue_timeout_covers_call;
pub(crate) mod raw_sse;
pub(crate) mod retry_storm;
pub(crate) mod silent_stream;
pub(crate) mod sleep_with_permit;
pub(crate) mod slow_reader;
pub(crate) mod stacked_retries;
pub(crate) mod total_timeout_on_stream;
pub(crate) mod unbounded_queue;

/// The mistakes of this group, in the order of the workshop.
pub(crate) const MISTAKES: &[Mistake] = &[
    unbounded_queue::ENTRY,
    stacked_retries::ENTRY,
    one_error_for_all::ENTRY,
    slow_reader::ENTRY,
    bursty_limiter::ENTRY,
    per_request_limits::ENTRY,
    sleep_with_permit::ENTRY,
    no_deadline::ENTRY,
    raw_sse::ENTRY,
    queue_timeout_covers_call::ENTRY,
    no_client_timeout::ENTRY,
    total_timeout_on_stream::ENTRY,
    buffered_stream::ENTRY,
    client_pool::ENTRY,
    lost_cleanup::ENTRY,
    noisy_neighbour::ENTRY,
    silent_stream::ENTRY,
    retry_storm::ENTRY,
    nested_permits::ENTRY,
    limiter_inside_permit::ENTRY,
];
