//! A request to the vendor, and what it needs to be let in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use resilience::UserGuard;
use wire::error::RequestError;
use wire::response::ExpectedResponse;

use crate::chat::Chat;
use crate::identity::User;
use crate::sessions::SessionCall;

/// Tokens that are reserved for the answer to a request that sets no limit on it: a long page. What is
/// too much is refunded, what is too little is charged.
const ANSWER_TOKENS: u64 = 1000;

/// One request to the vendor, as often as it has to be made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// What is asked for.
    pub(crate) route: Route,
    /// The request's body; empty for a route that takes none.
    pub(crate) body: Bytes,
    /// Passed on as `X-Request-ID`, so that one request can be followed through both logs.
    pub(crate) request_id: String,
    /// Headers that steer the mock vendor; empty unless the server was told to pass them on.
    pub(crate) mock_headers: Vec<(String, String)>,
    /// The permit of its user, where users have limits; given back when nothing of the call is left.
    pub(crate) user_permit: Option<Arc<UserGuard<User>>>,
    /// Tokens to reserve from the quota: its prompt's and its longest answer's.
    pub(crate) tokens: u64,
    /// Tokens of its prompt, estimated.
    pub(crate) prompt_tokens: u64,
    /// The session that it belongs to, if any.
    pub(crate) session: Option<SessionCall>,
    /// How far it has come.
    pub(crate) progress: Arc<Progress>,
}

/// The vendor's routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// `POST /v1/chat/completions`
    ChatCompletions,
    /// `GET /v1/models`
    Models,
}

impl Route {
    /// What a whole answer of this route must be.
    pub(crate) fn asked(self) -> ExpectedResponse {
        match self {
            Route::ChatCompletions => ExpectedResponse::Completion,
            Route::Models => ExpectedResponse::Models,
        }
    }
}

/// How far a request has come, for what is noted at its end.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    attempts: AtomicU32,
    /// Over all attempts.
    queued_ms: AtomicU64,
    /// Whether the vendor was asked, by any attempt.
    sent: AtomicBool,
}

impl Progress {
    /// Another attempt begins.
    pub(crate) fn count_attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// An attempt has waited so long for its permit, whether or not it got one.
    pub(crate) fn add_queued(&self, waited: Duration) {
        self.queued_ms.fetch_add(waited.as_millis() as u64, Ordering::Relaxed);
    }

    /// From here on the vendor has to do with how the request ends.
    pub(crate) fn mark_sent(&self) {
        self.sent.store(true, Ordering::Relaxed);
    }

    /// Whether the vendor was asked.
    pub(crate) fn sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed)
    }

    /// Attempts so far.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Milliseconds waited for a permit so far.
    pub(crate) fn queued_ms(&self) -> u64 {
        self.queued_ms.load(Ordering::Relaxed)
    }
}

/// The tokens to reserve for `asked` where one call can have `most`: its prompt, and the longest answer that it
/// allows.
///
/// # Errors
/// [`RequestError::InvalidValue`] for one that could never be let in.
pub(crate) fn tokens_to_reserve(asked: &Chat, most: Option<u64>) -> Result<u64, RequestError> {
    let prompt = asked.prompt_tokens;
    let answer = asked.max_tokens.map(u64::from);
    let too_many = |param: &str, found: u64, allowed: u64| RequestError::InvalidValue {
        param: param.into(),
        found: format!("{found} tokens"),
        expected: format!("at most {allowed}, the most that one call may use of the quota").into(),
    };
    Ok(match (most, answer) {
        (Some(most), _) if prompt >= most => return Err(too_many("messages", prompt, most - 1)),
        (Some(most), Some(answer)) if prompt + answer > most => {
            return Err(too_many("max_tokens", answer, most - prompt));
        }
        (Some(most), None) => (prompt + ANSWER_TOKENS).min(most),
        (_, answer) => prompt + answer.unwrap_or(ANSWER_TOKENS),
    })
}

#[cfg(test)]
mod tests {
    use wire::chat::ChatRequest;

    use super::*;

    fn reserved(body: &str, most: Option<u64>) -> Result<u64, String> {
        let asked = ChatRequest::parse(body.as_bytes()).unwrap();
        let (prompt_tokens, max_tokens) = (asked.prompt_tokens(), asked.max_tokens);
        let asked = Chat { prompt_tokens, max_tokens, model: None, stream: false, body: Bytes::new() };
        tokens_to_reserve(&asked, most).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_call_reserves_its_prompt_and_its_longest_answer() {
        let body = |rest: &str| format!(r#"{{"messages":[{{"role":"user","content":"12345678"}}]{rest}}}"#);
        assert_eq!(reserved(&body(r#","max_tokens":50"#), Some(52)), Ok(52));
        assert_eq!(reserved(&body(""), None), Ok(1002));
        assert_eq!(reserved(&body(""), Some(500)), Ok(500), "what was not asked for is no reason to refuse it");
        let answer = "'max_tokens' is 50 tokens, expected at most 49, the most that one call may use of the quota";
        assert_eq!(reserved(&body(r#","max_tokens":50"#), Some(51)), Err(answer.into()));
        let prompt = "'messages' is 2 tokens, expected at most 1, the most that one call may use of the quota";
        assert_eq!(reserved(&body(""), Some(2)), Err(prompt.into()));
    }
}
