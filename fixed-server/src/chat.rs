//! A request for a chat, read from its body.

use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use gateway::{INLINE_BYTES, TokenCounter};
use resilience::Permits;
use tokio::task::spawn_blocking;
use wire::chat::ChatRequest;
use wire::error::RequestError;

use crate::body_memory::BudgetedBody;
use crate::errors::Failure;

/// The model for requests without one.
pub(crate) const DEFAULT_MODEL: &str = "mock-llm";

/// How a body is parsed, on which route. With a counter, the tokens of the prompt are counted; otherwise they are
/// estimated.
type Parse = fn(BudgetedBody, Option<&TokenCounter>) -> Result<Chat, RequestError>;

/// A request for a chat.
#[derive(Debug)]
pub(crate) struct Chat {
    /// Tokens of its prompt, counted or estimated.
    pub(crate) prompt_tokens: u64,
    /// The most tokens to generate, if it says.
    pub(crate) max_tokens: Option<u32>,
    /// Its model, if it names one.
    pub(crate) model: Option<String>,
    /// Whether OpenAI's routes stream the answer.
    pub(crate) stream: bool,
    /// The body to send to the vendor.
    pub(crate) body: Bytes,
}

impl Chat {
    /// A request to `/chat/stream`.
    ///
    /// # Errors
    /// [`RequestError`] if it is invalid.
    pub(crate) fn stream(body: BudgetedBody, counter: Option<&TokenCounter>) -> Result<Self, RequestError> {
        let mut request = ChatRequest::parse(body.as_ref())?;
        // The usage tells how much of the reserved quota to refund.
        request.include_usage = true;
        let rewritten = request.to_upstream_body(DEFAULT_MODEL, true);
        let chat = Self::of(&request, counter);
        Ok(Chat { body: body.replace(rewritten), ..chat })
    }

    /// A request to `/llm`.
    ///
    /// # Errors
    /// [`RequestError`] if it is invalid.
    pub(crate) fn whole(body: BudgetedBody, counter: Option<&TokenCounter>) -> Result<Self, RequestError> {
        let request = ChatRequest::parse_prompt_or_messages(body.as_ref())?;
        let rewritten = request.to_upstream_body(DEFAULT_MODEL, false);
        let chat = Self::of(&request, counter);
        Ok(Chat { body: body.replace(rewritten), ..chat })
    }

    /// A request to OpenAI's routes. Its body is passed on unchanged: it may have fields that only the vendor knows.
    ///
    /// # Errors
    /// [`RequestError`] if a field that this server needs is invalid.
    pub(crate) fn relayed(body: BudgetedBody, counter: Option<&TokenCounter>) -> Result<Self, RequestError> {
        let request = ChatRequest::parse_relayed(body.as_ref())?;
        request.require_model()?;
        let chat = Self::of(&request, counter);
        Ok(Chat { body: body.into(), ..chat })
    }

    fn of(request: &ChatRequest<'_>, counter: Option<&TokenCounter>) -> Self {
        Chat {
            prompt_tokens: counter.map_or_else(|| request.prompt_tokens(), |counter| counter.count(request)),
            max_tokens: request.max_tokens,
            model: request.model.as_deref().map(str::to_owned),
            stream: request.stream,
            body: Bytes::new(),
        }
    }
}

/// Reads requests for chats. Large ones are read one at a time.
#[derive(Debug)]
pub(crate) struct ChatReader {
    /// Counts the tokens of prompts, if that is wanted.
    counter: Option<TokenCounter>,
    permits: Permits,
}

impl ChatReader {
    pub(crate) fn new(counter: Option<TokenCounter>) -> Self {
        ChatReader { counter, permits: Permits::new(NonZeroUsize::MIN) }
    }

    // ANCHOR: cpu-on-the-loop
    /// Parses `body`, and counts its tokens.
    ///
    /// # Errors
    /// Those of `parse`.
    pub(crate) async fn read(self: &Arc<Self>, body: BudgetedBody, parse: Parse) -> Result<Chat, Failure> {
        if body.as_ref().len() <= INLINE_BYTES {
            return Ok(parse(body, self.counter.as_ref())?);
        }
        // FIX cpu-on-the-loop: a large body is work for a processor, so a thread does it while the event loop goes on.
        // One at a time: more would share the processors, and leave the event loop less of them. The permit goes with
        // the work, which does not end when its client disconnects.
        let permit = self.permits.take().await;
        let reader = self.clone();
        let reading = spawn_blocking(move || {
            let _permit = permit;
            parse(body, reader.counter.as_ref())
        });
        Ok(reading.await.map_err(|_| Failure::Internal("parsing a request panicked"))??)
    }
    // ANCHOR_END: cpu-on-the-loop
}
