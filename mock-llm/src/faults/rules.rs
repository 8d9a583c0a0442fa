//! The rules in force, and which of them apply to a request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;

use super::{Ending, Fault, Replacement, Rule};

/// The rules in force, each with the number of requests since it was set.
#[derive(Debug, Default)]
pub(crate) struct Rules(Mutex<Vec<(Rule, u64)>>);

/// The faults of one request: at most one of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RequestFaults {
    pub(crate) replacement: Option<Replacement>,
    pub(crate) ending: Option<(u32, Ending)>,
    pub(crate) slow_headers: Option<Duration>,
    pub(crate) drip: Option<Duration>,
    pub(crate) ignore_disconnect: bool,
}

impl Rules {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let set = Rules::default();
        set.replace(rules.to_vec());
        set
    }

    /// Replaces the rules in force.
    pub(crate) fn replace(&self, rules: Vec<Rule>) {
        *self.lock() = rules.into_iter().map(|rule| (rule, 0)).collect();
    }

    /// The rules in force, as text.
    pub(crate) fn show(&self) -> Vec<String> {
        self.lock().iter().map(|(rule, _)| rule.to_string()).collect()
    }

    /// Restarts the count of every `first`.
    pub(crate) fn restart_counts(&self) {
        for (_, requests) in self.lock().iter_mut() {
            *requests = 0;
        }
    }

    /// Chooses the faults of a request. Its own rules, from its headers, take precedence over those in force.
    /// `attempt` counts from 1. Every rule in force takes one draw of `rng`, used or not, so that the choices of
    /// one rule do not depend on another.
    pub(crate) fn choose(&self, own: &[Rule], attempt: u64, rng: &mut Rng) -> RequestFaults {
        let mut in_force = Vec::new();
        for (rule, requests) in self.lock().iter_mut() {
            *requests += 1;
            if rule.applies(*requests, rng) {
                in_force.push(rule.fault);
            }
        }
        let mut chosen = RequestFaults::default();
        for fault in own.iter().filter(|rule| rule.applies(attempt, rng)).map(|rule| rule.fault) {
            chosen.add(fault);
        }
        in_force.into_iter().for_each(|fault| chosen.add(fault));
        chosen
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Rule, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    /// Whether it applies to the `nth` request, from 1.
    fn applies(&self, nth: u64, rng: &mut Rng) -> bool {
        let drawn = rng.f64() < self.rate;
        drawn && self.first.is_none_or(|first| nth <= first)
    }
}

impl RequestFaults {
    /// Of two faults of the same kind the first one counts.
    fn add(&mut self, fault: Fault) {
        match fault {
            Fault::ReplaceAnswer(replacement) => self.replacement = self.replacement.or(Some(replacement)),
            Fault::EndAfter(tokens, ending) => self.ending = self.ending.or(Some((tokens, ending))),
            Fault::SlowHeaders(delay) => self.slow_headers = self.slow_headers.or(Some(delay)),
            Fault::Drip(delay) => self.drip = self.drip.or(Some(delay)),
            Fault::IgnoreDisconnect => self.ignore_disconnect = true,
        }
    }

    /// The faults chosen.
    pub(crate) fn faults(&self) -> impl Iterator<Item = Fault> {
        [
            self.replacement.map(Fault::ReplaceAnswer),
            self.ending.map(|(tokens, ending)| Fault::EndAfter(tokens, ending)),
            self.slow_headers.map(Fault::SlowHeaders),
            self.drip.map(Fault::Drip),
            self.ignore_disconnect.then_some(Fault::IgnoreDisconnect),
        ]
        .into_iter()
        .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(texts: &[&str]) -> Vec<Rule> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn names(chosen: RequestFaults) -> Vec<&'static str> {
        chosen.faults().map(|fault| fault.name()).collect()
    }

    #[test]
    fn first_applies_to_the_first_requests_only() {
        let set = Rules::new(&rules(&["status=503;first=2"]));
        let mut rng = Rng::with_seed(1);
        let hit = |set: &Rules, rng: &mut Rng| set.choose(&[], 1, rng).replacement.is_some();
        let hits: Vec<bool> = (0..4).map(|_| hit(&set, &mut rng)).collect();
        assert_eq!(hits, [true, true, false, false]);
        set.restart_counts();
        assert!(hit(&set, &mut rng));
    }

    #[test]
    fn first_in_a_header_counts_attempts() {
        let set = Rules::default();
        let own = rules(&["status=503;first=2"]);
        let mut rng = Rng::with_seed(1);
        let hits: Vec<bool> =
            (1..=4).map(|attempt| set.choose(&own, attempt, &mut rng).replacement.is_some()).collect();
        assert_eq!(hits, [true, true, false, false]);
    }

    #[test]
    fn rate_is_the_share_of_requests() {
        let set = Rules::new(&rules(&["hang;rate=0.3"]));
        let hits =
            (0..10_000).filter(|seed| set.choose(&[], 1, &mut Rng::with_seed(*seed)).replacement.is_some()).count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
    }

    #[test]
    fn kinds_combine_and_a_header_takes_precedence() {
        let set = Rules::new(&rules(&["status=503", "drip=2s", "hang", "reset-after=3"]));
        let mut rng = Rng::with_seed(1);
        assert_eq!(names(set.choose(&[], 1, &mut rng)), ["status", "reset-after", "drip"]);
        let own = rules(&["hang", "ignore-disconnect"]);
        assert_eq!(names(set.choose(&own, 1, &mut rng)), ["hang", "reset-after", "drip", "ignore-disconnect"]);
    }

    #[test]
    fn the_choices_of_a_rule_do_not_depend_on_other_rules() {
        let hits = |texts: &[&str], name: &str| -> Vec<bool> {
            let set = Rules::new(&rules(texts));
            let chosen = |seed| set.choose(&[], 1, &mut Rng::with_seed(seed));
            (0..200).map(|seed| names(chosen(seed)).contains(&name)).collect()
        };
        assert_eq!(hits(&["drip=1s;rate=0.5"], "drip"), hits(&["drip=1s;rate=0.5", "hang;rate=0.5"], "drip"));
    }
}
