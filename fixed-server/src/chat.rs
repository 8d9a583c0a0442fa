//! What a request for a chat asks for, read from its body.

use bytes::Bytes;
use resilience::Permits;
use tokio::task::spawn_blocking;
use wire::chat::ChatRequest;
use wire::error::RequestError;

use crate::body_memory::BudgetedBody;
use crate::errors::Failure;

/// The model of requests that name none.
pub(crate) const DEFAULT_MODEL: &str = "mock-llm";

/// Bytes up to which a body is read on the event loop: it takes less time than to hand it to a thread is worth.
const INLINE_BYTES: usize = 64 * 1024;

/// A request for a chat.
#[derive(Debug)]
pub(crate) struct Chat {
    /// Tokens of its prompt, estimated.
    pub(crate) prompt_tokens: u64,
    /// Most tokens to generate, where that is known.
    pub(crate) max_tokens: Option<u32>,
    /// The model that it names.
    pub(crate) model: Option<String>,
    /// Whether OpenAI's routes are to stream the answer.
    pub(crate) stream: bool,
    /// What the vendor is sent.
    pub(crate) body: Bytes,
}

impl Chat {
    /// A request to `/chat/stream`.
    ///
    /// # Errors
    /// [`RequestError`] for what is wrong with it.
    pub(crate) fn stream(body: BudgetedBody) -> Result<Self, RequestError> {
        let mut asked = ChatRequest::parse(body.as_ref())?;
        // So that what was reserved and not used of the quota can be given back.
        asked.include_usage = true;
        let rewritten = asked.to_upstream_body(DEFAULT_MODEL, true);
        let asked = Self::of(&asked);
        Ok(Chat { body: body.replace(rewritten), ..asked })
    }

    /// A request to `/llm`.
    ///
    /// # Errors
    /// [`RequestError`] for what is wrong with it.
    pub(crate) fn whole(body: BudgetedBody) -> Result<Self, RequestError> {
        let asked = ChatRequest::parse_prompt_or_messages(body.as_ref())?;
        let rewritten = asked.to_upstream_body(DEFAULT_MODEL, false);
        let asked = Self::of(&asked);
        Ok(Chat { body: body.replace(rewritten), ..asked })
    }

    /// A request to OpenAI's routes. Its body goes on as it came: it may have fields that are the vendor's business
    /// alone.
    ///
    /// # Errors
    /// [`RequestError`] for what of it the server needs and cannot read.
    pub(crate) fn relayed(body: BudgetedBody) -> Result<Self, RequestError> {
        let asked = ChatRequest::parse_relayed(body.as_ref())?;
        asked.require_model()?;
        let asked = Self::of(&asked);
        Ok(Chat { body: body.into(), ..asked })
    }

    /// Reads `body` in one of these ways. A large one is read on a thread, since it takes milliseconds that every
    /// stream would wait for; and one at a time, since the others would only share the processors with it.
    ///
    /// # Errors
    /// Those of `read`.
    pub(crate) async fn read(
        reader: &Permits,
        body: BudgetedBody,
        read: fn(BudgetedBody) -> Result<Self, RequestError>,
    ) -> Result<Self, Failure> {
        if body.as_ref().len() <= INLINE_BYTES {
            return Ok(read(body)?);
        }
        let _turn = reader.take().await;
        let asked = spawn_blocking(move || read(body)).await;
        Ok(asked.map_err(|_| Failure::Internal("reading a request panicked"))??)
    }

    fn of(asked: &ChatRequest<'_>) -> Self {
        Chat {
            prompt_tokens: asked.prompt_tokens(),
            max_tokens: asked.max_tokens,
            model: asked.model.as_deref().map(str::to_owned),
            stream: asked.stream,
            body: Bytes::new(),
        }
    }
}
