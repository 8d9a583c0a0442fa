//! What the breaker learns of a call.

use resilience::BreakerGuard;

use crate::errors::Failure;

/// Reports to the breaker, if there is one, whether the vendor answered. A call that ended for another reason, this
/// server's own limits or its client, says nothing about the vendor.
pub(super) fn report_to_breaker<T>(guard: Option<BreakerGuard>, answered: &Result<T, Failure>) {
    let Some(guard) = guard else { return };
    match answered {
        Ok(_) | Err(Failure::Rejected(_)) => guard.success(),
        Err(Failure::Upstream(_)) => guard.failure(),
        Err(_) => drop(guard),
    }
}
