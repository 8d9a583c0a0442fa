use std::time::Duration;

use hyper::HeaderMap;
use wire::chat::MAX_TOKENS_MAX;
use wire::error::Refusal;

use crate::generation::Plan;
use crate::latency::{Delay, parse_delay};
use crate::settings::Settings;

/// What the `X-Mock-*` headers of one request change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Overrides {
    tokens: Option<u32>,
    ttft: Option<Duration>,
    inter_token: Option<Duration>,
}

impl Overrides {
    /// # Errors
    /// [`Refusal::Invalid`] naming the header at fault.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let delay = |name| header(headers, name, "a duration such as 250ms", |text| parse_delay(text).ok());
        Ok(Overrides {
            tokens: header(headers, "X-Mock-Tokens", "a whole number from 1 to 1000000", |text| {
                text.parse().ok().filter(|tokens| (1..=MAX_TOKENS_MAX).contains(tokens))
            })?,
            ttft: delay("X-Mock-TTFT")?,
            inter_token: delay("X-Mock-Inter-Token")?,
        })
    }

    /// What a request asks of a vendor with these `settings`. An override changes the mean of a
    /// delay, not how the draws spread around it.
    pub(crate) fn plan(&self, settings: &Settings, max_tokens: Option<u32>) -> Plan {
        let wanted = self.tokens.unwrap_or(settings.tokens);
        let tokens = max_tokens.map_or(wanted, |max| wanted.min(max));
        let with_mean = |delay: Delay, mean: Option<Duration>| Delay { mean: mean.unwrap_or(delay.mean), ..delay };
        Plan {
            tokens,
            cut_short: tokens < wanted,
            ttft: with_mean(settings.ttft, self.ttft),
            inter_token: with_mean(settings.inter_token, self.inter_token),
        }
    }
}

fn header<T>(
    headers: &HeaderMap,
    name: &'static str,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    match value.to_str().ok().and_then(parse) {
        Some(parsed) => Ok(Some(parsed)),
        None => {
            let found = String::from_utf8_lossy(value.as_bytes()).chars().take(40).collect();
            Err(Refusal::Invalid { param: name.into(), found, expected: expected.into() })
        }
    }
}
