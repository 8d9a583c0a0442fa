//! Length, delays and faults of one answer: settings, request, headers and fault rules combined.

use wire::chat::ChatRequest;

use crate::faults::{Ending, RequestFaults};
use crate::latency::{DELAY_MAX, Delay};
use crate::mock_headers::MockHeaders;
use crate::settings::Settings;

/// Length, delays and faults of one answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AnswerSpec {
    /// Tokens of the complete answer.
    pub(crate) tokens: u32,
    /// Whether the limit in the request made it shorter.
    pub(crate) by_limit: bool,
    pub(crate) ttft: Delay,
    pub(crate) inter_token: Delay,
    /// The number of tokens after which a fault ends it, and how.
    pub(crate) ending: Option<(u32, Ending)>,
    pub(crate) ignore_disconnect: bool,
}

impl AnswerSpec {
    /// A header changes the mean of a delay, not its distribution.
    pub(crate) fn new(settings: &Settings, mock_headers: &MockHeaders, request: &ChatRequest<'_>) -> Self {
        let wanted = mock_headers.tokens.unwrap_or(settings.tokens);
        let tokens = request.max_tokens.map_or(wanted, |max| wanted.min(max));
        let prompt_tokens = u32::try_from(request.prompt_tokens()).unwrap_or(u32::MAX);
        let prefill = settings.prefill_per_token.saturating_mul(prompt_tokens);
        let ttft = mock_headers.ttft.unwrap_or(settings.ttft.mean).saturating_add(prefill).min(DELAY_MAX);
        AnswerSpec {
            tokens,
            by_limit: tokens < wanted,
            ttft: settings.ttft.with_mean(ttft),
            inter_token: settings.inter_token.with_mean(mock_headers.inter_token.unwrap_or(settings.inter_token.mean)),
            ending: None,
            ignore_disconnect: false,
        }
    }

    /// The same with these faults.
    pub(crate) fn with_faults(self, faults: &RequestFaults) -> Self {
        AnswerSpec {
            inter_token: faults.drip.map_or(self.inter_token, Delay::constant),
            ending: faults.ending,
            ignore_disconnect: faults.ignore_disconnect,
            ..self
        }
    }

    pub(crate) fn finish_reason(&self) -> &'static str {
        if self.by_limit { "length" } else { "stop" }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn request(max_tokens: &str) -> ChatRequest<'static> {
        let prompt = "x".repeat(400);
        let body = format!(r#"{{"messages":[{{"role":"user","content":"{prompt}"}}]{max_tokens}}}"#);
        ChatRequest::parse(body.leak().as_bytes()).unwrap()
    }

    #[test]
    fn headers_override_settings_and_max_tokens_only_shortens() {
        let settings = Settings { tokens: 60, ..Settings::default() };
        let mock_headers = MockHeaders { tokens: Some(20), ..MockHeaders::default() };
        let spec = |mock_headers: &MockHeaders, max: &str| {
            let spec = AnswerSpec::new(&settings, mock_headers, &request(max));
            (spec.tokens, spec.finish_reason())
        };
        let none = MockHeaders::default();
        assert_eq!(spec(&none, ""), (60, "stop"));
        assert_eq!(spec(&mock_headers, ""), (20, "stop"));
        assert_eq!(spec(&mock_headers, r#","max_tokens":30"#), (20, "stop"));
        assert_eq!(spec(&mock_headers, r#","max_tokens":7"#), (7, "length"));
    }

    #[test]
    fn prompt_tokens_delay_the_first_token() {
        let millisecond = Duration::from_millis(1);
        let mut settings = Settings { prefill_per_token: millisecond, ..Settings::default() };
        settings.ttft.jitter = 0.5;
        let mock_headers = MockHeaders { ttft: Some(Duration::from_millis(10)), ..MockHeaders::default() };
        let ttft = AnswerSpec::new(&settings, &mock_headers, &request("")).ttft;
        assert_eq!(ttft, Delay { jitter: 0.5, ..Delay::constant(Duration::from_millis(110)) });
        settings.prefill_per_token = DELAY_MAX;
        assert_eq!(AnswerSpec::new(&settings, &mock_headers, &request("")).ttft.mean, DELAY_MAX, "no overflow");
    }

    #[test]
    fn a_drip_replaces_the_time_between_tokens() {
        let drip = Some(Duration::from_secs(2));
        let spec = AnswerSpec::new(&Settings::default(), &MockHeaders::default(), &request(""));
        let spec =
            spec.with_faults(&RequestFaults { drip, ending: Some((3, Ending::Hang)), ..RequestFaults::default() });
        assert_eq!(spec.inter_token, Delay::constant(Duration::from_secs(2)));
        assert_eq!(spec.ending, Some((3, Ending::Hang)));
    }
}
