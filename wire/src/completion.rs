//! OpenAI's chunks and whole completions, which a vendor answers with.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One event of a streamed completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk<'a> {
    /// The completion's id, the same in all its chunks.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Always `chat.completion.chunk`.
    #[serde(borrow)]
    pub object: Cow<'a, str>,
    /// When the completion began, in seconds since 1970.
    pub created: u64,
    /// The model that answers.
    #[serde(borrow)]
    pub model: Cow<'a, str>,
    /// One choice, or none in the chunk with the usage.
    #[serde(borrow)]
    pub choices: Vec<ChunkChoice<'a>>,
    /// Token counts, in the last chunk, if the client asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// What a chunk adds to one choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkChoice<'a> {
    /// Which choice; always 0 here.
    pub index: u32,
    /// The addition.
    #[serde(borrow)]
    pub delta: Delta<'a>,
    /// Why the choice ended, in its last chunk: `stop` or `length`.
    #[serde(borrow)]
    pub finish_reason: Option<Cow<'a, str>>,
}

/// What is added to a choice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta<'a> {
    /// The role; in the first chunk only.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Cow<'a, str>>,
    /// Text.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Cow<'a, str>>,
}

/// A whole completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The completion's id.
    pub id: String,
    /// Always `chat.completion`.
    pub object: String,
    /// When the completion began, in seconds since 1970.
    pub created: u64,
    /// The model that answered.
    pub model: String,
    /// The answers; one here.
    pub choices: Vec<Choice>,
    /// Token counts.
    pub usage: Usage,
}

/// One whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Which choice; always 0 here.
    pub index: u32,
    /// The text and its role.
    pub message: AssistantMessage,
    /// Why it ended: `stop` or `length`.
    pub finish_reason: String,
}

/// The text of a whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssistantMessage {
    /// Always `assistant`.
    pub role: String,
    /// The text.
    pub content: String,
}

/// Token counts of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: u64,
    /// Tokens generated.
    pub completion_tokens: u64,
    /// Their sum.
    pub total_tokens: u64,
}

impl Usage {
    /// The counts of a prompt and an answer.
    #[must_use]
    pub fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        Usage { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
    }
}

/// `GET /v1/models`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelList {
    /// Always `list`.
    pub object: String,
    /// The models.
    pub data: Vec<Model>,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// Its name in requests.
    pub id: String,
    /// Always `model`.
    pub object: String,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// Whose it is.
    pub owned_by: String,
}

impl ModelList {
    /// A list of models of these names.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>, owned_by: &str) -> Self {
        let model =
            |id: &str| Model { id: id.into(), object: "model".into(), created: 0, owned_by: owned_by.to_owned() };
        ModelList { object: "list".into(), data: names.into_iter().map(model).collect() }
    }
}
