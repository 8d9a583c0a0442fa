//! What one generation should be: settings, request, headers and faults put together.

use wire::chat::ChatRequest;

use crate::faults::{Chosen, Ending};
use crate::latency::{DELAY_MAX, Delay};
use crate::mock_headers::Overrides;
use crate::settings::Settings;

/// What a generation is to be, after settings, request, headers and faults had their say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plan {
    /// Tokens of the whole answer.
    pub(crate) tokens: u32,
    /// Whether the client's limit made it shorter than it would have been.
    pub(crate) cut_short: bool,
    pub(crate) ttft: Delay,
    pub(crate) inter_token: Delay,
    /// How many tokens there will be before it ends otherwise than well, and how.
    pub(crate) ending: Option<(u32, Ending)>,
    pub(crate) ignore_disconnect: bool,
}

impl Plan {
    /// An override changes the mean of a delay, not how the draws spread around it.
    pub(crate) fn new(settings: &Settings, overrides: &Overrides, asked: &ChatRequest<'_>) -> Self {
        let wanted = overrides.tokens.unwrap_or(settings.tokens);
        let tokens = asked.max_tokens.map_or(wanted, |max| wanted.min(max));
        let prompt_tokens = u32::try_from(asked.prompt_tokens()).unwrap_or(u32::MAX);
        let prefill = settings.prefill_per_token.saturating_mul(prompt_tokens);
        let ttft = overrides.ttft.unwrap_or(settings.ttft.mean).saturating_add(prefill).min(DELAY_MAX);
        Plan {
            tokens,
            cut_short: tokens < wanted,
            ttft: settings.ttft.with_mean(ttft),
            inter_token: settings.inter_token.with_mean(overrides.inter_token.unwrap_or(settings.inter_token.mean)),
            ending: None,
            ignore_disconnect: false,
        }
    }

    /// The same with what goes wrong.
    pub(crate) fn with(self, faults: &Chosen) -> Self {
        Plan {
            inter_token: faults.drip.map_or(self.inter_token, Delay::constant),
            ending: faults.after,
            ignore_disconnect: faults.ignore_disconnect,
            ..self
        }
    }

    pub(crate) fn finish_reason(&self) -> &'static str {
        if self.cut_short { "length" } else { "stop" }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn asked(max_tokens: &str) -> ChatRequest<'static> {
        let prompt = "x".repeat(400);
        let body = format!(r#"{{"messages":[{{"role":"user","content":"{prompt}"}}]{max_tokens}}}"#);
        ChatRequest::parse(body.leak().as_bytes()).unwrap()
    }

    #[test]
    fn a_header_comes_before_the_settings_and_the_request_can_only_shorten() {
        let settings = Settings { tokens: 60, ..Settings::default() };
        let overrides = Overrides { tokens: Some(20), ..Overrides::default() };
        let plan = |overrides: &Overrides, max: &str| {
            let plan = Plan::new(&settings, overrides, &asked(max));
            (plan.tokens, plan.finish_reason())
        };
        let none = Overrides::default();
        assert_eq!(plan(&none, ""), (60, "stop"));
        assert_eq!(plan(&overrides, ""), (20, "stop"));
        assert_eq!(plan(&overrides, r#","max_tokens":30"#), (20, "stop"));
        assert_eq!(plan(&overrides, r#","max_tokens":7"#), (7, "length"));
    }

    #[test]
    fn a_long_prompt_delays_the_first_token() {
        let millisecond = Duration::from_millis(1);
        let mut settings = Settings { prefill_per_token: millisecond, ..Settings::default() };
        settings.ttft.jitter = 0.5;
        let overrides = Overrides { ttft: Some(Duration::from_millis(10)), ..Overrides::default() };
        let ttft = Plan::new(&settings, &overrides, &asked("")).ttft;
        assert_eq!(ttft, Delay { jitter: 0.5, ..Delay::constant(Duration::from_millis(110)) });
        settings.prefill_per_token = DELAY_MAX;
        assert_eq!(Plan::new(&settings, &overrides, &asked("")).ttft.mean, DELAY_MAX, "no overflow");
    }

    #[test]
    fn a_drip_is_the_time_between_tokens_whatever_was_set() {
        let drip = Some(Duration::from_secs(2));
        let plan = Plan::new(&Settings::default(), &Overrides::default(), &asked(""));
        let plan = plan.with(&Chosen { drip, after: Some((3, Ending::Hang)), ..Chosen::default() });
        assert_eq!(plan.inter_token, Delay::constant(Duration::from_secs(2)));
        assert_eq!(plan.ending, Some((3, Ending::Hang)));
    }
}
