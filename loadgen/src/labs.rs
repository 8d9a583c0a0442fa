//! The labs, each as data in its own file.

mod blocked_executor;
mod blocking_client;
mod buffered_stream;
mod bursty_limiter;
mod client_per_request;
mod client_pool;
mod common;
mod coordinated_omission;
mod cpu_on_the_loop;
mod db_held_during_call;
mod demo;
mod full_pool;
mod hidden_pool_users;
mod keepalive_race;
mod limiter_inside_permit;
mod liveness_cascade;
mod lost_cleanup;
mod more_threads;
mod nested_permits;
mod no_client_timeout;
mod no_deadline;
mod noisy_neighbour;
mod one_error_for_all;
mod one_worker;
mod orphaned_streams;
mod per_request_limits;
mod pool_exhaustion;
mod pool_per_chunk;
mod queue_timeout_covers_call;
mod rapid_sequence;
mod raw_sse;
mod readiness_cascade;
mod retry_storm;
mod rollout;
mod silent_stream;
mod sleep_with_permit;
mod slow_reader;
mod stacked_retries;
mod total_timeout_on_stream;
mod unbounded_queue;
mod undrained_shutdown;
mod whole_calls;
mod worker_watchdog;
mod wrong_canary;

use std::sync::LazyLock;

use program::suggestion::did_you_mean;

use crate::lab::{Lab, Profile};

/// To add a lab, write its file and its entry here, at the end of its group (`make new-lab` does both): the command
/// line, the lists and the tests follow.
static LABS: LazyLock<Vec<Lab>> = LazyLock::new(|| {
    vec![
        // threads
        pool_exhaustion::lab(),
        pool_per_chunk::lab(),
        blocked_executor::lab(),
        blocking_client::lab(),
        hidden_pool_users::lab(),
        more_threads::lab(),
        wrong_canary::lab(),
        rollout::lab(),
        orphaned_streams::lab(),
        coordinated_omission::lab(),
        cpu_on_the_loop::lab(),
        // calls
        unbounded_queue::lab(),
        stacked_retries::lab(),
        one_error_for_all::lab(),
        slow_reader::lab(),
        bursty_limiter::lab(),
        per_request_limits::lab(),
        sleep_with_permit::lab(),
        no_deadline::lab(),
        raw_sse::lab(),
        queue_timeout_covers_call::lab(),
        no_client_timeout::lab(),
        total_timeout_on_stream::lab(),
        buffered_stream::lab(),
        client_pool::lab(),
        lost_cleanup::lab(),
        noisy_neighbour::lab(),
        silent_stream::lab(),
        retry_storm::lab(),
        nested_permits::lab(),
        limiter_inside_permit::lab(),
        // operations
        rapid_sequence::lab(),
        liveness_cascade::lab(),
        readiness_cascade::lab(),
        undrained_shutdown::lab(),
        client_per_request::lab(),
        worker_watchdog::lab(),
        db_held_during_call::lab(),
        keepalive_race::lab(),
    ]
});

static DEMO: LazyLock<Profile> = LazyLock::new(demo::profile);

/// All labs, in the order of the workshop.
#[must_use]
pub fn all() -> &'static [Lab] {
    &LABS
}

/// The lab of the demo, and the longer numbers with which the demo runs it.
#[must_use]
pub fn demo() -> (&'static Lab, &'static Profile) {
    (&LABS[0], &DEMO)
}

/// The lab of this name.
///
/// # Errors
/// A message for the command line with the list of labs and the closest name.
pub fn find(name: &str) -> Result<&'static Lab, String> {
    all().iter().find(|lab| lab.name == name).ok_or_else(|| {
        let names: Vec<_> = all().iter().map(|lab| lab.name).collect();
        let meant = did_you_mean(name, names.iter().copied()).unwrap_or_else(|| ".".to_owned());
        format!("unknown lab{meant} The labs are: {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests;
