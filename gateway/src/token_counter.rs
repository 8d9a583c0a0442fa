//! Counts the tokens of prompts.

use std::fmt;
use std::time::Instant;

use bpe::byte_pair_encoding::BytePairEncoding;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use wire::chat::ChatRequest;

use crate::histogram::seconds;

/// Bytes up to which the body of a request is read on the event loop: handing it to a thread would take longer than to
/// parse it and to count its tokens.
pub const INLINE_BYTES: usize = 64 * 1024;

/// The first 4,096 tokens of OpenAI's cl100k_base, of which the whole has 100,000 and 1.7 MB. Each of the others is made
/// of several of these, so nothing has fewer tokens here.
const VOCABULARY: &str = include_str!("token_counter/vocabulary.tiktoken");

/// With it, no two tokens of the vocabulary have the same hash.
const HASH_FACTOR: u64 = 13_164_834_295_418_179_430;

/// Counts the tokens of prompts by byte-pair encoding, and the time that it takes. It takes some 25 ms a MiB of a
/// processor, so it is no work for an event loop.
pub struct TokenCounter {
    vocabulary: BytePairEncoding,
    tokens: Counter,
    took: Histogram,
}

impl TokenCounter {
    /// A counter whose metrics are in `registry`.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let (tokens, took) = (Counter::default(), seconds());
        registry.register("llm_prompt_tokens", "Tokens of prompts, as this server counted them", tokens.clone());
        registry.register("llm_prompt_count_seconds", "Time to count the tokens of a prompt", took.clone());
        let vocabulary = BytePairEncoding::from_tiktoken(VOCABULARY, Some(HASH_FACTOR))
            .unwrap_or_else(|error| unreachable!("the vocabulary is in its format: {error}"));
        TokenCounter { vocabulary, tokens, took }
    }

    /// The tokens of the prompt of `request`; at least one.
    #[must_use]
    pub fn count(&self, request: &ChatRequest<'_>) -> u64 {
        let begun = Instant::now();
        let mut tokens = 0;
        request.each_text(|text| tokens += self.vocabulary.count(text) as u64);
        let tokens = tokens.max(1);
        self.tokens.inc_by(tokens);
        self.took.observe(begun.elapsed().as_secs_f64());
        tokens
    }
}

impl fmt::Debug for TokenCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCounter").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(messages: &str) -> u64 {
        let counter = TokenCounter::new(&mut Registry::default());
        let body = format!(r#"{{"model":"m","messages":{messages}}}"#);
        let request = ChatRequest::parse_relayed(body.as_bytes()).unwrap();
        let tokens = counter.count(&request);
        assert_eq!((counter.tokens.get(), tokens >= 1), (tokens, true));
        tokens
    }

    #[test]
    fn texts_are_counted_by_their_tokens() {
        let one = |content: &str| counted(&format!(r#"[{{"role":"user","content":{content}}}]"#));
        for (content, tokens) in [
            (r#""""#, 1),
            (r#"" the""#, 1),
            (r#"" the the the""#, 3),
            (r#""\u0020the""#, 1),
            (r#""the\nthe""#, 3),
            // More bytes, and yet no more tokens than characters.
            (r#""\ud83d""#, 3),
        ] {
            assert_eq!(one(content), tokens, "{content}");
        }
    }

    #[test]
    fn all_messages_and_parts_are_counted_and_images_are_not() {
        let parts = r#"[{"type":"text","text":" the"},{"type":"image_url","image_url":{"url":"data:image/png;base64,the"}},
                       {"type":"text","text":" the the"}]"#;
        let tokens = counted(&format!(
            r#"[{{"role":"system","content":" the"}},{{"role":"user","content":{parts}}},{{"role":"assistant","content":null}}]"#
        ));
        assert_eq!(tokens, 4);
    }

    /// Where the estimate of four bytes a token is too low, the count is not.
    #[test]
    fn what_has_short_tokens_has_more_than_a_quarter_of_its_bytes() {
        for text in ["\u{4f60}\u{597d}\u{ff0c}\u{4e16}\u{754c}", "aGVsbG8gd29ybGQ3NDg5MjM3", "3141592653589793"] {
            let tokens = counted(&format!(r#"[{{"role":"user","content":"{text}"}}]"#));
            assert!(tokens > text.len().div_ceil(4) as u64, "{text}: {tokens}");
        }
    }
}
