//! What is kept of each request id: its attempts, and how long it was asked to wait.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use super::recent::Recent;

/// The most recent `MAX` request ids.
#[derive(Debug, Default)]
pub(super) struct RequestIds<const MAX: usize> {
    by_id: HashMap<String, OneRequest>,
    ids: Recent<String, MAX>,
}

/// The requests with one id.
#[derive(Debug, Default)]
pub(super) struct OneRequest {
    /// Those that started a generation.
    pub(super) started: u64,
    /// Those that a quota rejected.
    pub(super) refused: u64,
    /// Those that came before the end of a `Retry-After`.
    pub(super) early: u64,
    /// When the longest `Retry-After` so far ends.
    wait_until: Option<Instant>,
}

impl<const MAX: usize> RequestIds<MAX> {
    /// What is kept of `id`, which takes the place of the oldest id if it is new.
    pub(super) fn request(&mut self, id: &str) -> &mut OneRequest {
        if !self.by_id.contains_key(id)
            && let Some(removed) = self.ids.push(id.to_owned())
        {
            self.by_id.remove(&removed);
        }
        self.by_id.entry(id.to_owned()).or_default()
    }

    /// A count of the newest `recent` ids, of those that have it.
    pub(super) fn newest(&self, recent: usize, count: impl Fn(&OneRequest) -> Option<u64>) -> BTreeMap<String, u64> {
        let counted = |id: &String| Some((id.clone(), count(self.by_id.get(id)?)?));
        self.ids.newest(recent).filter_map(counted).collect()
    }
}

impl OneRequest {
    /// Counts a request that comes at `now`. Returns whether it is early.
    pub(super) fn comes(&mut self, now: Instant) -> bool {
        let is_early = self.wait_until.is_some_and(|end| now < end);
        self.early += u64::from(is_early);
        is_early
    }

    /// Records that a request is answered now with this `Retry-After`.
    pub(super) fn wait_for(&mut self, retry_after: Option<Duration>) {
        let end = retry_after.and_then(|wait| Instant::now().checked_add(wait));
        self.wait_until = self.wait_until.max(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_id_is_dropped() {
        let mut ids = RequestIds::<2>::default();
        for id in ["a", "b", "a", "c"] {
            ids.request(id).started += 1;
        }
        let started = |request: &OneRequest| Some(request.started);
        assert_eq!(ids.newest(9, started), [("b".to_owned(), 1), ("c".to_owned(), 1)].into());
        assert_eq!(ids.newest(1, started), [("c".to_owned(), 1)].into());
        assert_eq!(ids.by_id.len(), 2, "nothing is kept of it");
    }

    #[test]
    fn a_request_is_early_until_the_longest_wait_has_passed() {
        let second = Duration::from_secs(1);
        let mut request = OneRequest::default();
        assert!(!request.comes(Instant::now()), "it was not asked to wait");
        request.wait_for(Some(60 * second));
        request.wait_for(Some(second));
        request.wait_for(None);
        assert!(request.comes(Instant::now() + 30 * second));
        assert!(!request.comes(Instant::now() + 61 * second));
        assert_eq!(request.early, 1);
    }
}
