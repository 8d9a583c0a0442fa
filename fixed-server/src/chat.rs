//! A request for a chat, read from its body.

use bytes::Bytes;
use resilience::Permits;
use tokio::task::spawn_blocking;
use wire::chat::ChatRequest;
use wire::error::RequestError;

use crate::body_memory::BudgetedBody;
use crate::errors::Failure;

/// The model for requests without one.
pub(crate) const DEFAULT_MODEL: &str = "mock-llm";

/// Bytes up to which a body is parsed on the event loop: handing it to a thread would take longer.
const INLINE_BYTES: usize = 64 * 1024;

/// A request for a chat.
#[derive(Debug)]
pub(crate) struct Chat {
    /// Estimated tokens of its prompt.
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
    pub(crate) fn stream(body: BudgetedBody) -> Result<Self, RequestError> {
        let mut request = ChatRequest::parse(body.as_ref())?;
        // The usage tells how much of the reserved quota to refund.
        request.include_usage = true;
        let rewritten = request.to_upstream_body(DEFAULT_MODEL, true);
        let chat = Self::of(&request);
        Ok(Chat { body: body.replace(rewritten), ..chat })
    }

    /// A request to `/llm`.
    ///
    /// # Errors
    /// [`RequestError`] if it is invalid.
    pub(crate) fn whole(body: BudgetedBody) -> Result<Self, RequestError> {
        let request = ChatRequest::parse_prompt_or_messages(body.as_ref())?;
        let rewritten = request.to_upstream_body(DEFAULT_MODEL, false);
        let chat = Self::of(&request);
        Ok(Chat { body: body.replace(rewritten), ..chat })
    }

    /// A request to OpenAI's routes. Its body is passed on unchanged: it may have fields that only the vendor knows.
    ///
    /// # Errors
    /// [`RequestError`] if a field that this server needs is invalid.
    pub(crate) fn relayed(body: BudgetedBody) -> Result<Self, RequestError> {
        let request = ChatRequest::parse_relayed(body.as_ref())?;
        request.require_model()?;
        let chat = Self::of(&request);
        Ok(Chat { body: body.into(), ..chat })
    }

    /// Parses `body` by one of the functions above. A large body is parsed on a thread, because it takes milliseconds
    /// for which every stream would wait; and one at a time, because more would only share the processors.
    ///
    /// # Errors
    /// Those of `parse`.
    pub(crate) async fn read(
        reader: &Permits,
        body: BudgetedBody,
        parse: fn(BudgetedBody) -> Result<Self, RequestError>,
    ) -> Result<Self, Failure> {
        if body.as_ref().len() <= INLINE_BYTES {
            return Ok(parse(body)?);
        }
        let _permit = reader.take().await;
        let chat = spawn_blocking(move || parse(body)).await;
        Ok(chat.map_err(|_| Failure::Internal("parsing a request panicked"))??)
    }

    fn of(request: &ChatRequest<'_>) -> Self {
        Chat {
            prompt_tokens: request.prompt_tokens(),
            max_tokens: request.max_tokens,
            model: request.model.as_deref().map(str::to_owned),
            stream: request.stream,
            body: Bytes::new(),
        }
    }
}
