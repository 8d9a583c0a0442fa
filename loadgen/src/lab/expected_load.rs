//! The load of a phase, computed from the schedule of the lab alone.

use std::time::Duration;

use super::{Action, Load, Phase, Profile, Upstream};
use crate::numbers::in_millis;
use crate::result::ExpectedLoad;
use crate::traffic::{Client, Reads, Request, Schedule};

impl Profile {
    /// The load that `phase` should put on `arm`. `None` if it opens no streams, or if it cannot be said how they should
    /// flow: not all are sent at a time that is known, the vendor has a fault or a limit, a client disconnects before
    /// its second token or does not read. `runs` says which phases the run includes.
    pub(crate) fn expected_load(
        &self,
        phase: &Phase,
        runs: impl Fn(&Phase) -> bool,
        arm: &str,
    ) -> Option<ExpectedLoad> {
        let position = self.phases.iter().position(|candidate| std::ptr::eq(candidate, phase))?;
        let so_far = &self.phases[..=position];
        let vendor_fails = so_far.iter().flat_map(|phase| &phase.actions).any(Action::disturbs_vendor);
        let by_request = phase.loads.iter().any(|load| asks_for_a_fault(&load.request))
            || so_far.iter().flat_map(|phase| &phase.cases).any(|case| asks_for_a_fault(&case.request));
        let may_fail = vendor_fails || by_request || self.vendor_is_limited(arm);
        if phase.streams().next().is_none() || may_fail || !phase.streams().all(|load| self.flows(load)) {
            return None;
        }
        // From the start of each phase to the end of this one.
        let mut since_begun = Duration::ZERO;
        let mut streams = 0;
        for earlier in so_far.iter().rev().filter(|phase| runs(phase)) {
            since_begun += earlier.takes();
            let kept = |load: &Load| std::ptr::eq(earlier, phase) && is_kept(load);
            let lasts = |load: &Load| !is_kept(load) && self.open_for(load) + ENDS_WITH_THE_PHASE >= since_begun;
            if earlier.is_for(arm) {
                let open = earlier.streams().filter(|load| kept(load) || lasts(load));
                streams += open.map(|load| u64::from(load.requests())).sum::<u64>();
            }
        }
        let at_vendor = phase.loads.iter().filter(|load| load.request.method == "POST");
        Some(ExpectedLoad {
            streams,
            first_token_ms: phase.streams().map(|load| in_millis(self.first_token(load))).fold(0.0, f64::max),
            gap_ms: phase.streams().map(|load| in_millis(self.gap(load))).fold(f64::INFINITY, f64::min),
            tokens: at_vendor.map(|load| u64::from(self.tokens(load))).min()?,
        })
    }

    /// Whether it can be said how the streams of `load` should flow.
    fn flows(&self, load: &Load) -> bool {
        let Client { disconnects_after, disconnects_after_tokens, reads, .. } = load.client;
        let first_two = self.first_token(load) + self.gap(load);
        matches!(load.schedule, Schedule::Once { .. } | Schedule::Concurrency { .. })
            && reads == Reads::AtOnce
            && disconnects_after.is_none_or(|after| after >= first_two)
            && disconnects_after_tokens.is_none_or(|tokens| tokens >= 2)
    }

    /// Whether the vendor of `arm` has a flag that limits or fails its answers.
    fn vendor_is_limited(&self, arm: &str) -> bool {
        let own = self.arm(arm).map(|arm| &arm.upstream);
        let own = if let Some(Upstream::Vendor(flags)) = own { &flags[..] } else { &[] };
        let is_plain = |flag: &String| !flag.starts_with("--") || PLAIN_FLAGS.contains(&flag.as_str());
        !self.vendor.iter().chain(own).all(is_plain)
    }

    /// How long a stream of `load` stays open.
    fn open_for(&self, load: &Load) -> Duration {
        let whole = self.first_token(load) + self.gap(load) * self.tokens(load).saturating_sub(1);
        load.client.disconnects_after.map_or(whole, |after| after.min(whole))
    }

    fn first_token(&self, load: &Load) -> Duration {
        self.delay(load, "x-mock-ttft", "--ttft")
    }

    fn gap(&self, load: &Load) -> Duration {
        self.delay(load, "x-mock-inter-token", "--inter-token")
    }

    fn delay(&self, load: &Load, header: &str, flag: &str) -> Duration {
        let given = load.request.header_value(header).or_else(|| self.vendor_flag(flag));
        given.and_then(|value| humantime::parse_duration(value).ok()).unwrap_or(VENDOR_DELAY)
    }

    fn tokens(&self, load: &Load) -> u32 {
        let given = load.request.header_value("x-mock-tokens").or_else(|| self.vendor_flag("--tokens"));
        given.and_then(|value| value.parse().ok()).unwrap_or(VENDOR_TOKENS)
    }

    /// The value of a flag of the vendor.
    fn vendor_flag(&self, flag: &str) -> Option<&str> {
        let at = self.vendor.iter().position(|arg| arg == flag)?;
        self.vendor.get(at + 1).map(String::as_str)
    }
}

/// Whether the clients send another request when one has ended, as long as the phase lasts.
fn is_kept(load: &Load) -> bool {
    matches!(load.schedule, Schedule::Concurrency { .. })
}

fn asks_for_a_fault(request: &Request) -> bool {
    request.header_value("x-mock-fault").is_some()
}

/// Flags of the vendor that say how it answers every call.
const PLAIN_FLAGS: [&str; 7] =
    ["--tokens", "--ttft", "--inter-token", "--jitter", "--seed", "--chunk-bytes", "--split-characters"];

/// A stream that ends this shortly before its phase counts as open throughout: a tenth of the samples may be
/// below.
const ENDS_WITH_THE_PHASE: Duration = Duration::from_millis(20);

/// The vendor's defaults.
const VENDOR_DELAY: Duration = Duration::from_millis(250);
const VENDOR_TOKENS: u32 = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Action, BASELINE, LOADED, flags};

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn disconnecting() -> Load {
        Load::streams(7).disconnecting_after(MS(900))
    }

    /// Streams of 1.25 s.
    fn profile() -> Profile {
        let too_soon = Load::streams(7).disconnecting_after(MS(300));
        Profile {
            vendor: flags("--tokens 5 --ttft 250ms --inter-token 250ms"),
            phases: vec![
                Phase::new(BASELINE, "").hold(MS(500)),
                Phase::new("first", "").adds(disconnecting()).hold(MS(600)),
                Phase::new(LOADED, "").adds(Load::streams(3)).adds(Load::calls(50)).hold(MS(500)),
                Phase::new("more", "").only("fixed").adds(Load::streams(2)).hold(MS(500)),
                Phase::new("gone", "").adds(too_soon),
                Phase::new("faulty", "").adds(Load::new("one", Request::chat().fault("hang-after=2"))),
                Phase::new("failing", "").action(Action::faults(&["hang"])).adds(Load::streams(9)),
            ],
            ..Profile::default()
        }
    }

    fn expected_load(phase: usize, arm: &str) -> Option<ExpectedLoad> {
        let profile = profile();
        profile.expected_load(&profile.phases[phase], |_| true, arm)
    }

    #[test]
    fn streams_count_while_they_are_open() {
        let streams = |phase, arm| expected_load(phase, arm).map(|load| load.streams);
        assert_eq!(streams(0, "fixed"), None, "it opens none");
        assert_eq!(streams(1, "fixed"), Some(7));
        // Those of the first phase disconnect 300 ms after it, within this one.
        assert_eq!(streams(2, "fixed"), Some(3));
        assert_eq!(streams(3, "fixed"), Some(5));
        assert_eq!(
            expected_load(2, "control"),
            Some(ExpectedLoad { streams: 3, first_token_ms: 250.0, gap_ms: 250.0, tokens: 5 })
        );
    }

    #[test]
    fn streams_that_cannot_flow_are_not_expected_to_flow() {
        assert_eq!(expected_load(4, "fixed"), None, "their clients disconnect before a second token");
        assert_eq!(expected_load(5, "fixed"), None, "the vendor hangs for them");
        assert_eq!(expected_load(6, "fixed"), None, "the vendor hangs");
        assert_eq!(profile().open_for(&disconnecting()), MS(900));
    }

    /// What a phase with this load should put on the vendor, and the phase after it.
    fn expected_of(load: Load, vendor: &str) -> [Option<u64>; 2] {
        let phases = vec![
            Phase::new("first", "").adds(load).hold(MS(500)),
            Phase::new("next", "").adds(Load::streams(1)).hold(MS(500)),
        ];
        let profile = Profile { vendor: flags(vendor), phases, ..Profile::default() };
        [0, 1].map(|phase| Some(profile.expected_load(&profile.phases[phase], |_| true, "fixed")?.streams))
    }

    #[test]
    fn only_what_is_certain_is_expected_of_other_loads() {
        const STREAMS: &str = "--tokens 5 --ttft 250ms --inter-token 250ms";
        let on = |schedule| Load::streams(1).schedule(schedule);
        assert_eq!(expected_of(on(Schedule::concurrency(6)), STREAMS), [Some(6), Some(1)], "kept within its phase");
        assert_eq!(expected_of(on(Schedule::rate(20.0)), STREAMS), [None, Some(1)]);
        assert_eq!(expected_of(Load::streams(4), &format!("{STREAMS} --quota-in-flight 2")), [None, None]);
        for client in [Client::default().stops_reading_after(3), Client::default().disconnects_after_tokens(1)] {
            assert_eq!(expected_of(Load::streams(4).client(client), STREAMS)[0], None, "{client:?}");
        }
        let faulty = Load { request: Load::calls(1).request.fault("status=503"), ..Load::calls(1) };
        let with_fault = Phase::new(LOADED, "").adds(Load::streams(3)).adds(faulty);
        let with_calls = Phase::new(LOADED, "").adds(Load::streams(3)).adds(Load::calls(9).tokens(2));
        let profile = Profile { phases: vec![with_fault, with_calls], ..Profile::default() };
        let expected = |phase: usize| profile.expected_load(&profile.phases[phase], |_| true, "fixed");
        assert_eq!(expected(0), None, "one call asks for a fault");
        assert_eq!(expected(1).map(|load| load.tokens), Some(2), "a call has fewer tokens than the streams");
    }
}
