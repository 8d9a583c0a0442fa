//! The most recent values of a list that would grow without end.

use std::collections::VecDeque;

/// The most recent `MAX` values, oldest first.
#[derive(Debug)]
pub(super) struct Recent<T, const MAX: usize>(VecDeque<T>);

impl<T, const MAX: usize> Default for Recent<T, MAX> {
    fn default() -> Self {
        Recent(VecDeque::new())
    }
}

impl<T, const MAX: usize> Recent<T, MAX> {
    /// Appends a value. Returns the oldest one if it had to be removed.
    pub(super) fn push(&mut self, value: T) -> Option<T> {
        let removed = if self.0.len() == MAX { self.0.pop_front() } else { None };
        self.0.push_back(value);
        removed
    }

    /// The newest `count` values, oldest first.
    pub(super) fn newest(&self, count: usize) -> impl Iterator<Item = &T> {
        self.0.range(self.0.len().saturating_sub(count)..)
    }
}
