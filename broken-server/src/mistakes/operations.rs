//! Mistakes in operation: health checks, restarts, shutdown, databases, balancers.

use crate::mistake::Mistake;

pub(crate) mod client_per_request;
pub(crate) mod db_held_during_call;
pub(crate) mod keepalive_race;
pub(crate) mod liveness_cascade;
pub(crate) mod rapid_sequence;
pub(crate) mod readiness_cascade;
pub(crate) mod undrained_shutdown;
pub(crate) mod worker_watchdog;

/// The mistakes of this group, in the order of the workshop.
pub(crate) const MISTAKES: &[Mistake] = &[
    rapid_sequence::ENTRY,
    liveness_cascade::ENTRY,
    readiness_cascade::ENTRY,
    undrained_shutdown::ENTRY,
    client_per_request::ENTRY,
    worker_watchdog::ENTRY,
    db_held_during_call::ENTRY,
    keepalive_race::ENTRY,
];
