//! Bodies that differ from request to request: `{{n}}` and `{{prompt:500}}` are replaced in each.

use bytes::Bytes;

/// A body in which these words are replaced, for each request anew:
///
/// - `{{n}}`: the number of the request, from 1;
/// - `{{prompt:500}}`: a prompt of 500 tokens, random and so another for each request;
/// - `{{prompt:200-800}}`: the same with a random length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyTemplate {
    parts: Vec<Part>,
    seed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Number,
    Prompt { least: u32, most: u32 },
}

/// Most tokens of a prompt. Four bytes each, it is far over the context of any model in use.
const PROMPT_TOKENS_MAX: u32 = 2_000_000;

/// A body that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyTemplateError {
    /// An unknown word.
    #[error(
        "{{{{{0}}}}} is unknown: expected {{{{n}}}}, the number of the request, or {{{{prompt:500}}}} or \
         {{{{prompt:200-800}}}}, a prompt of that many tokens (for two braces themselves write \\u007b{{ in the JSON)"
    )]
    Unknown(String),
    /// A length that is none.
    #[error("{{{{prompt:{0}}}}}: expected a number of tokens from 1 to {PROMPT_TOKENS_MAX}, or two as in 200-800")]
    Length(String),
}

/// Words of three letters. With the space before it, each is one token for vendors that count by byte-pair encoding
/// (all are in OpenAI's cl100k_base), four bytes for those that count four as one, and a word for those that count words.
const WORDS: [&str; 64] = [
    "the", "and", "for", "you", "not", "are", "all", "new", "one", "was", "but", "can", "has", "our", "out", "use",
    "get", "now", "how", "its", "may", "see", "way", "any", "two", "day", "old", "own", "too", "put", "say", "set",
    "let", "end", "big", "try", "ask", "run", "air", "art", "bad", "bit", "box", "car", "cut", "far", "few", "fun",
    "had", "her", "him", "his", "job", "key", "law", "leg", "lot", "low", "map", "met", "off", "pay", "red", "yet",
];

impl BodyTemplate {
    /// Parses a body. Its prompts follow from `seed` and the number of the request.
    ///
    /// # Errors
    /// [`BodyTemplateError`] for something else in double braces.
    pub fn parse(body: &str, seed: u64) -> Result<Self, BodyTemplateError> {
        let (mut parts, mut rest) = (Vec::new(), body);
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((word, after)) = after.split_once("}}") else { break };
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::parse(word)?);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(BodyTemplate { parts, seed })
    }

    /// Whether the body is the same for all requests.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// The body of the request with this number.
    #[must_use]
    pub fn body(&self, number: u64) -> Bytes {
        // Neighbouring seeds give unrelated numbers only once they are spread over all bits.
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut random = fastrand::Rng::with_seed(self.seed ^ number.wrapping_mul(SPREAD));
        let mut body = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => body += text,
                Part::Number => body += &number.to_string(),
                Part::Prompt { least, most } => {
                    let words = (0..random.u32(*least..=*most)).flat_map(|_| [" ", WORDS[random.usize(..WORDS.len())]]);
                    body.extend(words);
                }
            }
        }
        body.into()
    }
}

impl Part {
    fn parse(word: &str) -> Result<Self, BodyTemplateError> {
        let word = word.trim();
        if word == "n" {
            return Ok(Part::Number);
        }
        let unknown = || BodyTemplateError::Unknown(word.chars().take(40).collect());
        let length = word.strip_prefix("prompt:").ok_or_else(unknown)?.trim();
        let (least, most) = length.split_once('-').unwrap_or((length, length));
        let tokens = |text: &str| text.trim().parse().ok().filter(|tokens| (1..=PROMPT_TOKENS_MAX).contains(tokens));
        match (tokens(least), tokens(most)) {
            (Some(least), Some(most)) if least <= most => Ok(Part::Prompt { least, most }),
            _ => Err(BodyTemplateError::Length(length.chars().take(40).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    use gateway::TokenCounter;
    use prometheus_client::registry::Registry;
    use wire::chat::ChatRequest;

    use super::*;

    fn text(template: &str, number: u64) -> String {
        String::from_utf8(BodyTemplate::parse(template, 1).unwrap().body(number).to_vec()).unwrap()
    }

    #[test]
    fn a_body_without_words_is_as_it_was() {
        for body in [r#"{"a":{"b":{"c":1}}}"#, "", "{{ without an end", r#"{"prompt":"\u007b{n}}"}"#] {
            let template = BodyTemplate::parse(body, 1).unwrap();
            assert!(template.is_constant() && template.body(7) == body, "{body}");
        }
    }

    #[test]
    fn every_request_has_its_number_and_its_own_prompt() {
        assert_eq!(text(r#"{"id":{{n}},"text":"{{ n }}"}"#, 12), r#"{"id":12,"text":"12"}"#);
        let prompts: std::collections::BTreeSet<_> = (1..=1_000).map(|number| text("{{prompt:8}}", number)).collect();
        assert_eq!(prompts.len(), 1_000, "no two are alike");
        assert_eq!(text("{{prompt:8}}", 3), text("{{prompt:8}}", 3), "they follow from the seed");
        let seeded = |seed| BodyTemplate::parse("{{prompt:8}}", seed).unwrap().body(3);
        assert_ne!(seeded(1), seeded(2));
        let two = text("{{prompt:8}}|{{prompt:8}}", 1);
        assert_ne!(two.split('|').next(), two.split('|').nth(1));
    }

    #[test]
    fn a_prompt_has_its_length_by_every_usual_count() {
        let body = text(r#"{"model":"m","messages":[{"role":"user","content":"{{prompt:500}}"}]}"#, 5);
        let request = ChatRequest::parse_as_vendor(body.as_bytes()).unwrap();
        assert_eq!(request.prompt_tokens(), 500, "four bytes each");
        assert_eq!(TokenCounter::new(&mut Registry::default()).count(&request), 500, "byte-pair encoding");
        assert_eq!(text("{{prompt:500}}", 5).split_whitespace().count(), 500, "words");
        assert!(WORDS.iter().all(|word| word.len() == 3));
        let lengths: Vec<_> = (1..200).map(|n| text("{{prompt:10-12}}", n).len() / 4).collect();
        assert_eq!((lengths.iter().min(), lengths.iter().max()), (Some(&10), Some(&12)));
    }

    #[test]
    fn what_is_unknown_is_named_with_what_is_known() {
        let error = |body: &str| BodyTemplate::parse(body, 1).unwrap_err().to_string();
        let unknown = error(r#"{"x":"{{promt:5}}"}"#);
        assert!(unknown.starts_with("{{promt:5}} is unknown: expected {{n}}"), "{unknown}");
        for length in ["0", "", "9-3", "-5", "x", "2000001"] {
            assert!(
                error(&format!("{{{{prompt:{length}}}}}")).contains(&format!("{{{{prompt:{length}}}}}")),
                "{length}"
            );
        }
    }
}
