//! The laws that must hold at the end.

use std::time::Duration;

use wire::ledger::{Ledger, most_within};

use crate::Size;
use crate::client::Seen;
use crate::program::State;

/// Calls that were abandoned at the same moment, whose end the vendor has not seen.
const GIVEN_UP_UNSEEN: u64 = 3;

/// Checks all laws, so that one run reports every violation.
pub(crate) fn check(size: &Size, seen: &Seen, ledger: &Ledger, before: &State, after: &State) {
    let mut broken: Vec<String> = seen.wrong.iter().take(5).cloned().collect();
    let mut law = |holds: bool, text: String| {
        if !holds {
            broken.push(text);
        }
    };
    let wrong = seen.wrong.len();
    law(wrong == 0, format!("{wrong} clients got an answer that is not allowed"));

    // Each request ends in exactly one outcome.
    let (calls, outcomes) = (after.sum("llm_calls_total"), after.sum("llm_outcomes_total"));
    law(calls == outcomes, format!("{calls} requests had {outcomes} outcomes"));
    let internal = after.metrics.sum_of("llm_outcomes_total", &[("outcome".into(), "internal".into())].into());
    law(internal == Some(0.0), format!("internal errors: {internal:?}"));

    // At rest nothing is held, here or at the vendor.
    for gauge in ["llm_concurrent_calls", "llm_queue_length", "llm_open_streams", "database_connections_in_use"] {
        law(after.sum(gauge) == 0.0, format!("{gauge} is {} at rest", after.sum(gauge)));
    }
    law(ledger.active == 0, format!("{} calls are active at the vendor", ledger.active));
    let ended = ledger.completed + ledger.cancelled + ledger.failed;
    law(ledger.started == ended, format!("{} were started and {ended} have ended", ledger.started));

    // The vendor never saw more than the limits allow.
    // An abandoned call ends here a moment before the vendor sees its connection close, and the next call may reach
    // the vendor first. Without disconnects the limit is exact, as conformance tests.
    println!("At the vendor, most at once: {} of {}.", ledger.peak_active, size.max_in_flight);
    let most = size.max_in_flight + GIVEN_UP_UNSEEN;
    law(ledger.peak_active <= most, format!("{} at once at the vendor", ledger.peak_active));
    let most = most_within(&ledger.starts, Duration::from_secs(1));
    println!("Most starts within a second: {most} of {}.", size.rate);
    law(most <= size.rate, format!("{most} starts within a second"));
    let attempts = ledger.attempts_by_request_id.values().copied().max().unwrap_or(0);
    law(attempts <= 3, format!("a request had {attempts} attempts"));

    // Descriptors, connections and tasks are as before.
    for gauge in ["http_connections", "runtime_tasks"] {
        let (was, is) = (before.sum(gauge), after.sum(gauge));
        law(is <= was, format!("{gauge}: {was} before, {is} after"));
    }
    let (was, is) = (before.descriptors, after.descriptors);
    law(is <= was, format!("descriptors: {was:?} before, {is:?} after"));

    // Everything that can happen did happen.
    for fate in ["200 whole", "200 streamed whole", "200 and an error event", "429 overloaded", "502 upstream_failure"]
    {
        law(seen.count(fate) > 0, format!("there was no '{fate}': this soak has no teeth"));
    }
    law(seen.count("left") > 0 && after.sum("llm_disconnects_total") > 0.0, "no client disconnected".into());
    law(after.sum("llm_retries_total") > 0.0, "nothing was retried".into());
    law(ledger.peak_active >= size.max_in_flight, format!("the limit was not reached: {}", ledger.peak_active));
    assert!(broken.is_empty(), "laws were broken:\n  {}", broken.join("\n  "));
}
