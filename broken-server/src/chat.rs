//! A request for a chat, read from its body.

use bytes::Bytes;
use gateway::{INLINE_BYTES, TokenCounter};
use wire::chat::ChatRequest;
use wire::error::RequestError;

use crate::errors::Failure;
use crate::state::AppState;

/// The model of requests that name none.
pub(crate) const DEFAULT_MODEL: &str = "mock-llm";

/// A request for a chat.
#[derive(Debug)]
pub(crate) struct Chat {
    /// Its model, if it names one.
    pub(crate) model: Option<String>,
    /// Whether OpenAI's routes stream the answer.
    pub(crate) stream: bool,
    /// The body to send to the vendor.
    pub(crate) body: Bytes,
}

/// How a body is parsed, on which route. With a counter, the tokens of the prompt are counted.
pub(crate) type Parse = fn(&Bytes, Option<&TokenCounter>) -> Result<Chat, RequestError>;

impl Chat {
    /// A request to `/chat/stream`.
    ///
    /// # Errors
    /// [`RequestError`] if it is invalid.
    pub(crate) fn stream(body: &Bytes, counter: Option<&TokenCounter>) -> Result<Self, RequestError> {
        let asked = ChatRequest::parse(body)?;
        Ok(Self::of(&asked, asked.to_upstream_body(DEFAULT_MODEL, true).into(), counter))
    }

    /// A request to `/llm`.
    ///
    /// # Errors
    /// [`RequestError`] if it is invalid.
    pub(crate) fn whole(body: &Bytes, counter: Option<&TokenCounter>) -> Result<Self, RequestError> {
        let asked = ChatRequest::parse_prompt_or_messages(body)?;
        Ok(Self::of(&asked, asked.to_upstream_body(DEFAULT_MODEL, false).into(), counter))
    }

    /// A request to OpenAI's routes. Its body is passed on unchanged: it may have fields that only the vendor knows.
    ///
    /// # Errors
    /// [`RequestError`] if a field that this server needs is invalid.
    pub(crate) fn relayed(body: &Bytes, counter: Option<&TokenCounter>) -> Result<Self, RequestError> {
        let asked = ChatRequest::parse_relayed(body)?;
        asked.require_model()?;
        Ok(Self::of(&asked, body.clone(), counter))
    }

    fn of(asked: &ChatRequest<'_>, body: Bytes, counter: Option<&TokenCounter>) -> Self {
        // The metric shows it. Nothing here depends on it: there is no limit on tokens.
        let _tokens = counter.map(|counter| counter.count(asked));
        Chat { model: asked.model.as_deref().map(str::to_owned), stream: asked.stream, body }
    }
}

/// Parses `body`, and counts its tokens. A large one is work for a processor, so a thread of the pool does it while the
/// event loop goes on; and one at a time, because more would only share the processors.
///
/// # Errors
/// Those of `parse`.
pub(crate) async fn read(state: &AppState, body: Bytes, parse: Parse) -> Result<Chat, Failure> {
    let counter = state.token_counter.clone();
    if body.len() <= INLINE_BYTES {
        return Ok(parse(&body, counter.as_deref())?);
    }
    let permit = state.chat_reader.take().await;
    let reading = move || {
        // Until the work has ended, which it does also when its client has disconnected.
        let _permit = permit;
        parse(&body, counter.as_deref())
    };
    Ok(state.pool.run(reading).await??)
}
