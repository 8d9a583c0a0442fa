//! Answers that begin before their first token, for what closes silent connections on the way.

use std::time::Duration;

use clap::Args;
use resilience::LimitConflict;

use crate::values::{OrOff, timeout_or_off};

/// When a stream begins without its first token.
#[derive(Debug, Clone, Copy, Args)]
pub struct EarlyKeepAlive {
    /// After how long without a first token the answer begins with a comment, and how often another one follows: for
    /// proxies that close silent connections. The price: the status is then 200, and a failure can only be an error
    /// event.
    #[arg(long = "early-keep-alive", id = "early_keep_alive", default_value = "off", value_name = "TIME")]
    #[arg(value_parser = timeout_or_off, allow_hyphen_values = true)]
    pub interval: OrOff<Duration>,
}

impl EarlyKeepAlive {
    /// A comment of Server-Sent Events, which every reader of events ignores.
    pub const COMMENT: &'static str = ": keep-alive\n\n";

    /// Checks that a comment can precede the first token.
    ///
    /// # Errors
    /// [`LimitConflict`], which names the two flags.
    pub fn check(&self, first_token_timeout: Duration) -> Result<(), LimitConflict> {
        let Some(interval) = self.interval.0 else { return Ok(()) };
        LimitConflict::require_less(
            ("--early-keep-alive", interval),
            ("--first-token-timeout", first_token_timeout),
            "otherwise the first token arrives, or never will, before it helps",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_later_than_the_first_token_may_be_is_a_conflict() {
        let check = |interval: u64| {
            let interval = OrOff(Some(Duration::from_secs(interval)));
            EarlyKeepAlive { interval }.check(Duration::from_secs(30)).map_err(|error| error.to_string())
        };
        assert_eq!(check(29), Ok(()));
        let conflict = check(30).unwrap_err();
        assert!(conflict.contains("--early-keep-alive (30s)") && conflict.contains("--first-token-timeout (30s)"));
        assert!(EarlyKeepAlive { interval: OrOff(None) }.check(Duration::ZERO).is_ok());
    }
}
