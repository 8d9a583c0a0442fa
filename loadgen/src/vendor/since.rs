//! The part of a vendor's ledger that belongs to a period: the vendor may have had other clients before.

use std::collections::BTreeMap;

use wire::ledger::Ledger;

/// The difference between `after` and `before`, the ledgers at the end and at the start of a period. If the vendor's
/// overall peak is older than the period, its peak in it is `most_active`, the largest sampled value.
#[must_use]
pub fn since(before: &Ledger, after: Ledger, most_active: u64) -> Ledger {
    if after.started < before.started {
        // It was reset or restarted during the run.
        return after;
    }
    let is_new_peak = after.peak_active > before.peak_active;
    let less = |now: u64, then: u64| now.saturating_sub(then);
    let started = less(after.started, before.started);
    let (retried, refused) = (less(after.retried, before.retried), less(after.refused, before.refused));
    Ledger {
        active: after.active,
        peak_active: if is_new_peak { after.peak_active } else { most_active.max(after.active) },
        waiting: after.waiting,
        started,
        retried,
        completed: less(after.completed, before.completed),
        completed_by_limit: less(after.completed_by_limit, before.completed_by_limit),
        cancelled: less(after.cancelled, before.cancelled),
        failed: less(after.failed, before.failed),
        refused,
        tokens_sent: less(after.tokens_sent, before.tokens_sent),
        tokens_after_disconnect: less(after.tokens_after_disconnect, before.tokens_after_disconnect),
        prompt_tokens: less(after.prompt_tokens, before.prompt_tokens),
        connections_opened: less(after.connections_opened, before.connections_opened),
        client_connections: less(after.client_connections, before.client_connections),
        requests_by_status: less_each(after.requests_by_status, &before.requests_by_status),
        unanswered: less(after.unanswered, before.unanswered),
        faults: less_each(after.faults, &before.faults),
        starts: newest(after.starts, started),
        retries: newest(after.retries, retried),
        refusals: newest(after.refusals, refused),
        attempts_by_request_id: less_each(after.attempts_by_request_id, &before.attempts_by_request_id),
        refused_by_request_id: less_each(after.refused_by_request_id, &before.refused_by_request_id),
        early: less(after.early, before.early),
        early_by_request_id: less_each(after.early_by_request_id, &before.early_by_request_id),
    }
}

fn less_each(mut after: BTreeMap<String, u64>, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    after.iter_mut().for_each(|(key, count)| *count = count.saturating_sub(before.get(key).copied().unwrap_or(0)));
    after.retain(|_, count| *count > 0);
    after
}

fn newest(mut times: Vec<f64>, count: u64) -> Vec<f64> {
    times.drain(..times.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX)));
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(started: u64, active: u64, peak_active: u64) -> Ledger {
        let requests_by_status = BTreeMap::from([("200".to_owned(), started)]);
        let starts = (0..started).map(|start| start as f64).collect();
        Ledger { started, active, peak_active, requests_by_status, starts, ..Ledger::default() }
    }

    #[test]
    fn counts_and_peak_of_an_earlier_period_are_left_out() {
        let seen = since(&ledger(60, 0, 60), ledger(65, 0, 60), 5);
        assert_eq!((seen.peak_active, seen.started, seen.starts), (5, 5, vec![60.0, 61.0, 62.0, 63.0, 64.0]));
        assert_eq!(seen.requests_by_status, BTreeMap::from([("200".to_owned(), 5)]));
        assert!(since(&ledger(60, 0, 60), ledger(60, 0, 60), 0).requests_by_status.is_empty());
    }

    #[test]
    fn a_new_peak_is_exact_and_a_reset_starts_again() {
        assert_eq!(since(&ledger(60, 0, 60), ledger(140, 3, 80), 71).peak_active, 80);
        assert_eq!(since(&ledger(60, 0, 60), ledger(5, 0, 4), 3).peak_active, 4);
    }
}
