//! An answer of the model, before it is streamed or sent whole.

use wire::byte_size::ByteSize;
use wire::completion::Usage;

use crate::answer_spec::AnswerSpec;
use crate::chunks::ChunkHeader;
use crate::generation::Generation;

/// An answer that begins now, in either form.
pub(crate) struct Answer {
    pub(crate) generation: Generation,
    pub(crate) head: ChunkHeader,
    pub(crate) spec: AnswerSpec,
    pub(crate) usage: Usage,
    pub(crate) seed: u64,
    /// Size to which each chunk of a stream is padded.
    pub(crate) chunk_bytes: Option<ByteSize>,
    /// Whether the chunks of a stream end inside each character of several bytes.
    pub(crate) split_characters: bool,
}
