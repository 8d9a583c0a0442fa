//! A call to the vendor.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gateway::{Route, SummaryRequest, UserPermit};
use resilience::Deadline;
use wire::error::RequestError;

use crate::chat::Chat;
use crate::errors::UpstreamFailure;
use crate::sessions::{KeyId, SessionCall};

/// Tokens reserved for the answer to a request without `max_tokens`: a long page. Tokens that it does not use are
/// refunded, tokens beyond them are charged.
const ANSWER_TOKENS: u64 = 1000;

/// One call to the vendor, for all of its attempts.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The vendor's route.
    pub(crate) route: Route,
    /// The body to send; empty for a route without one.
    pub(crate) body: Bytes,
    /// Sent as `X-Request-ID`, so that a request can be followed through both logs.
    pub(crate) request_id: String,
    /// Headers that control the mock vendor; empty without `--allow-mock-headers`.
    pub(crate) mock_headers: Vec<(String, String)>,
    /// By when it must be answered, and by when a stream must have its first token: the SLA, counted from when the request
    /// was read.
    pub(crate) deadline: Deadline,
    /// The permit of its user, if users are limited. It is released with the last clone of the call.
    pub(crate) user_permit: Option<Arc<UserPermit<KeyId>>>,
    /// Its model, if that has a quota of its own.
    pub(crate) model: Option<Arc<str>>,
    /// Tokens to reserve from the quota: for its prompt and its longest answer.
    pub(crate) tokens: u64,
    /// Tokens of its prompt, counted or estimated.
    pub(crate) prompt_tokens: u64,
    /// The session that it belongs to, if any.
    pub(crate) session: Option<SessionCall>,
    /// What is logged about it at its end.
    pub(crate) progress: Arc<Progress>,
}

/// The progress of a call, for the log line and the counts at its end.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    attempts: AtomicU32,
    /// Summed over all attempts.
    queued_ms: AtomicU64,
    /// Whether any attempt was sent to the vendor.
    sent: AtomicBool,
}

impl Progress {
    /// Counts an attempt.
    pub(crate) fn count_attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the time that an attempt waited for its permit, with or without success.
    pub(crate) fn add_queued(&self, waited: Duration) {
        self.queued_ms.fetch_add(waited.as_millis() as u64, Ordering::Relaxed);
    }

    /// Notes that an attempt is sent: from now on the vendor has a part in how the request ends.
    pub(crate) fn mark_sent(&self) {
        self.sent.store(true, Ordering::Relaxed);
    }

    /// Whether any attempt was sent to the vendor.
    pub(crate) fn sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed)
    }

    /// Attempts so far.
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Milliseconds spent waiting for a permit so far.
    pub(crate) fn queued_ms(&self) -> u64 {
        self.queued_ms.load(Ordering::Relaxed)
    }
}

impl Call {
    /// The call for a summary of `answer`, the answer to this one. It has the same deadline and the same user's permit, and
    /// reserves no more than `most` tokens.
    ///
    /// # Errors
    /// [`UpstreamFailure::UnexpectedFormat`] for an answer without text.
    pub(crate) fn for_summary(&self, answer: &[u8], most: Option<u64>) -> Result<Call, UpstreamFailure> {
        let SummaryRequest { body, prompt_tokens } = SummaryRequest::of(&self.body, answer)?;
        let tokens = (prompt_tokens + ANSWER_TOKENS).min(most.unwrap_or(u64::MAX));
        Ok(Call { body: body.into(), tokens, prompt_tokens, ..self.clone() })
    }
}

/// The tokens to reserve for `chat`, of at most `most` for one call: for its prompt, and for the longest answer that it
/// allows.
///
/// # Errors
/// [`RequestError::InvalidValue`] if the quota never allows as many at once.
pub(crate) fn tokens_to_reserve(chat: &Chat, most: Option<u64>) -> Result<u64, RequestError> {
    let prompt = chat.prompt_tokens;
    let answer = chat.max_tokens.map(u64::from);
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
        assert_eq!(reserved(&body(""), Some(500)), Ok(500), "without max_tokens no call is rejected");
        let answer = "'max_tokens' is 50 tokens, expected at most 49, the most that one call may use of the quota";
        assert_eq!(reserved(&body(r#","max_tokens":50"#), Some(51)), Err(answer.into()));
        let prompt = "'messages' is 2 tokens, expected at most 1, the most that one call may use of the quota";
        assert_eq!(reserved(&body(""), Some(2)), Err(prompt.into()));
    }
}
