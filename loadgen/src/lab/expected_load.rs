//! The load of a phase, computed from the schedule of the lab alone.

use std::time::Duration;

use super::{Action, Load, Phase, Profile};
use crate::result::ExpectedLoad;

impl Profile {
    /// The load that `phase` should put on `arm`. `None` if it opens no streams, or if they are not meant to flow:
    /// the vendor has a fault by then or for them, or the clients disconnect before their second token. `runs` says
    /// which phases the run includes.
    pub(crate) fn expected_load(
        &self,
        phase: &Phase,
        runs: impl Fn(&Phase) -> bool,
        arm: &str,
    ) -> Option<ExpectedLoad> {
        let position = self.phases.iter().position(|candidate| std::ptr::eq(candidate, phase))?;
        let so_far = &self.phases[..=position];
        let vendor_fails = so_far.iter().flat_map(|phase| &phase.actions).any(Action::disturbs_vendor);
        let flow = |load: &Load| {
            let first_two = self.first_token(load) + self.gap(load);
            let faulty = load.request.header_value("x-mock-fault").is_some();
            !faulty && load.client.disconnects_after.is_none_or(|after| after >= first_two)
        };
        if phase.streams().next().is_none() || vendor_fails || !phase.streams().all(flow) {
            return None;
        }
        // From the start of each phase to the end of this one.
        let mut since_begun = Duration::ZERO;
        let mut streams = 0;
        for earlier in so_far.iter().rev().filter(|phase| runs(phase)) {
            since_begun += earlier.takes();
            let open = |load: &&Load| self.open_for(load) + ENDS_WITH_THE_PHASE >= since_begun;
            if earlier.is_for(arm) {
                streams += earlier.streams().filter(open).map(|load| u64::from(load.requests())).sum::<u64>();
            }
        }
        let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
        Some(ExpectedLoad {
            streams,
            first_token_ms: phase.streams().map(|load| millis(self.first_token(load))).fold(0.0, f64::max),
            gap_ms: phase.streams().map(|load| millis(self.gap(load))).fold(f64::INFINITY, f64::min),
            tokens: phase.streams().map(|load| u64::from(self.tokens(load))).min()?,
        })
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
    use crate::traffic::Request;

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
}
