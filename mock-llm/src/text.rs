//! The text of the answers, which a test can compare with what it received.

use std::sync::LazyLock;

/// Most words of the answers. Each is a token, with a space before it.
const PLAIN: &str = "the a of and to in is it that for with as on this by are from each waits slow stream token thread \
    pool server client answer request queue limit permit health check event loop socket bytes first last until while \
    before after because nothing something holds frees blocks returns never always often model vendor latency budget \
    deadline retry failure success under over load which where when there their than then so if or not only one two \
    three every some more most less few many much long short fast time wait work call caller reads writes sends takes \
    gives keeps drops opens closes starts ends counts shows fails runs stops again later sooner about between without \
    within during against through along around behind beyond";

/// Tokens that careless framing breaks: line ends, quotes, backslashes, text that looks like an event, and
/// characters of two to four bytes.
const AWKWARD: [&str; 24] = [
    "\n",
    "\n\n",
    "\r\n",
    "\n- item",
    "\n\ndata: text",
    "\tindented",
    " \"quoted\"",
    " it's",
    " back\\slash",
    " {\"json\": true}",
    " <b>",
    " &amp;",
    " café",
    " naïve",
    " Grüße",
    " señor",
    " 日本",
    " Привет",
    " 🦀",
    " 👩‍💻",
    " €5",
    " ½",
    " …",
    ".",
];

/// A word, and the same escaped for a JSON string, so that no token has to be escaped.
struct Word {
    text: String,
    escaped: String,
}

static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| {
    let plain = PLAIN.split_whitespace().map(|word| format!(" {word}"));
    let awkward = AWKWARD.into_iter().map(str::to_owned);
    plain.chain(awkward).map(|text| Word { escaped: escape(&text), text }).collect()
});

fn escape(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The text of token `index` of every answer of a vendor with this `seed`.
#[must_use]
pub fn token(seed: u64, index: u32) -> &'static str {
    &word(seed, index).text
}

/// The text of an answer of `tokens` tokens of a vendor with this `seed`: what a client must receive, streamed or
/// not.
#[must_use]
pub fn answer(seed: u64, tokens: u32) -> String {
    (0..tokens).map(|index| token(seed, index)).collect()
}

/// [`token`], escaped for a JSON string.
pub(crate) fn escaped_token(seed: u64, index: u32) -> &'static str {
    &word(seed, index).escaped
}

fn word(seed: u64, index: u32) -> &'static Word {
    let hash = mix(seed ^ mix(u64::from(index)));
    let at = usize::try_from(hash % WORDS.len() as u64);
    &WORDS[at.unwrap_or_else(|_| unreachable!("less than the number of words"))]
}

/// The finalizer of SplitMix64: similar inputs give unrelated outputs.
pub(crate) fn mix(input: u64) -> u64 {
    let mut z = input.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_depends_on_the_seed() {
        assert_eq!(answer(1, 200), answer(1, 200));
        assert_ne!(answer(1, 200), answer(2, 200));
        assert!(answer(1, 200).starts_with(&answer(1, 50)), "a shorter answer is a prefix of a longer one");
    }

    #[test]
    fn every_word_occurs_and_none_ten_times_in_a_row() {
        let words: Vec<&str> = (0..5_000).map(|index| token(7, index)).collect();
        assert!(WORDS.iter().all(|word| words.contains(&word.text.as_str())));
        let longest_run = words.chunk_by(|a, b| a == b).map(<[_]>::len).max();
        assert!(longest_run < Some(10), "{longest_run:?}");
    }

    #[test]
    fn escaped_words_parse_as_json_strings() {
        for index in 0..5_000 {
            let json = format!("\"{}\"", escaped_token(7, index));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), token(7, index));
        }
    }
}
