//! The cycle of twelve calls of source 002, with the token counts of its table.

use serde_json::json;

/// One call of the cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CycleCall {
    /// Its place in the cycle, from 1.
    pub number: u32,
    /// Tokens of its prompt.
    pub request_tokens: u32,
    /// Most tokens of its answer.
    pub answer_tokens: u32,
}

/// The calls in order: 24,944 tokens together. The source reports that the third fails, at 7,059 tokens.
pub const CYCLE: [CycleCall; 12] = [
    CycleCall::new(1, 664, 2),
    CycleCall::new(2, 2280, 55),
    CycleCall::new(3, 3737, 321),
    CycleCall::new(4, 1371, 89),
    CycleCall::new(5, 1517, 45),
    CycleCall::new(6, 4161, 88),
    CycleCall::new(7, 1966, 28),
    CycleCall::new(8, 1290, 258),
    CycleCall::new(9, 1639, 124),
    CycleCall::new(10, 2408, 67),
    CycleCall::new(11, 2031, 38),
    CycleCall::new(12, 714, 51),
];

/// A text of one token, for vendors that count four bytes as one, and for those that split words.
const TOKEN: &str = " the";

impl CycleCall {
    const fn new(number: u32, request_tokens: u32, answer_tokens: u32) -> Self {
        CycleCall { number, request_tokens, answer_tokens }
    }

    /// Tokens of its prompt and its answer.
    #[must_use]
    pub const fn tokens(&self) -> u32 {
        self.request_tokens + self.answer_tokens
    }

    /// The same call with a share of its tokens, at least one in each direction.
    #[must_use]
    pub fn scaled(self, share: f64) -> Self {
        let scale = |tokens: u32| (f64::from(tokens) * share).round().max(1.0) as u32;
        let (request_tokens, answer_tokens) = (scale(self.request_tokens), scale(self.answer_tokens));
        CycleCall { request_tokens, answer_tokens, ..self }
    }

    /// A prompt of [`CycleCall::request_tokens`] tokens.
    #[must_use]
    pub fn prompt(&self) -> String {
        TOKEN.repeat(self.request_tokens as usize)
    }

    /// The prompt of the source's own script for it: a word of five bytes for every five tokens, which is a fifth of
    /// the tokens for a vendor that counts words, and a quarter for one that counts four bytes as one.
    #[must_use]
    pub fn prompt_in_source(&self) -> String {
        "test ".repeat(self.request_tokens as usize / 5)
    }

    /// The body of a request for a whole answer, with this prompt.
    #[must_use]
    pub fn body(&self, model: &str, prompt: &str) -> String {
        let messages = [json!({"role": "user", "content": prompt})];
        json!({"model": model, "messages": messages, "max_tokens": self.answer_tokens, "stream": false}).to_string()
    }
}

#[cfg(test)]
mod tests {
    use wire::chat::ChatRequest;

    use super::*;

    fn counted(call: &CycleCall, prompt: &str) -> (u64, Option<u32>) {
        let body = call.body("m", prompt);
        let request = ChatRequest::parse_as_vendor(body.as_bytes()).unwrap();
        (request.prompt_tokens(), request.max_tokens)
    }

    #[test]
    fn the_vendor_counts_as_many_tokens_as_the_table_says() {
        let mut cumulative = 0;
        let mut after = Vec::new();
        for call in CYCLE {
            let (request, answer) = counted(&call, &call.prompt());
            assert_eq!((request, answer), (call.request_tokens.into(), Some(call.answer_tokens)));
            cumulative += request + u64::from(answer.unwrap_or(0));
            after.push(cumulative);
        }
        assert_eq!((after[2], after[11]), (7_059, 24_944));
        assert!(CYCLE.iter().zip(1..).all(|(call, number)| call.number == number));
    }

    #[test]
    fn the_script_of_the_source_sends_a_quarter_of_the_request_tokens() {
        let sent: u64 = CYCLE.iter().map(|call| counted(call, &call.prompt_in_source()).0).sum();
        let said: u32 = CYCLE.iter().map(|call| call.request_tokens).sum();
        assert_eq!((sent, said), (5_943, 23_778));
    }

    #[test]
    fn a_share_of_a_call_is_smaller_and_never_empty() {
        let fifth = CYCLE[2].scaled(0.2);
        assert_eq!((fifth.request_tokens, fifth.answer_tokens), (747, 64));
        assert_eq!(CYCLE[0].scaled(0.2).answer_tokens, 1);
        assert_eq!(CYCLE[0].scaled(1.0), CYCLE[0]);
    }
}
