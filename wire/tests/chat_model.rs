//! The reader of chat requests against a naive one that builds the whole tree: on 200,000 random texts, most
//! of them nearly a request, both agree on what is JSON, which field is invalid and what is requested.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use fastrand::Rng;
use serde_json::{Map, Value};
use wire::chat::{ChatRequest, MAX_TOKENS_MAX, ROLES};

/// Of ten mistakes put into the reader, each was found within the first 4,000 of a thread's 25,000 cases.
const CASES: usize = 200_000;

/// The parts of a request that count, or the invalid field; no field where it is not JSON.
type Read = Result<(Option<String>, Option<u32>, bool, bool, u64), Option<String>>;

fn ours(body: &[u8]) -> Read {
    let asked = ChatRequest::parse(body).map_err(|error| error.body().error.param)?;
    let tokens = asked.prompt_tokens();
    Ok((asked.model.map(|name| name.into_owned()), asked.max_tokens, asked.stream, asked.include_usage, tokens))
}

/// The same from a tree.
fn naive(tree: &Value) -> Read {
    let at_fault = |param: &str| Some(param.to_owned());
    let fields = tree.as_object().ok_or_else(|| at_fault("body"))?;
    let messages = fields.get("messages").and_then(Value::as_array).filter(|list| !list.is_empty());
    let mut bytes = 0;
    for (index, message) in messages.ok_or_else(|| at_fault("messages"))?.iter().enumerate() {
        bytes += text_bytes(message).map_err(|member| Some(format!("messages[{index}]{member}")))?;
    }
    let model = match given(fields, "model") {
        None => None,
        Some(name) => Some(name.as_str().filter(|name| !name.is_empty()).ok_or_else(|| at_fault("model"))?.to_owned()),
    };
    let named = ["max_completion_tokens", "max_tokens"].into_iter().find_map(|name| Some((name, given(fields, name)?)));
    let max_tokens = match named {
        None => None,
        Some((name, value)) => {
            let known = value.as_u64().filter(|tokens| (1..=u64::from(MAX_TOKENS_MAX)).contains(tokens));
            Some(u32::try_from(known.ok_or_else(|| at_fault(name))?).unwrap())
        }
    };
    let flag = |value: Option<&Value>, param: &str| match value {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| at_fault(param)),
    };
    let stream = flag(given(fields, "stream"), "stream")?;
    let include_usage = match given(fields, "stream_options") {
        None => false,
        Some(Value::Object(options)) => flag(given(options, "include_usage"), "stream_options.include_usage")?,
        Some(_) => return Err(at_fault("stream_options")),
    };
    Ok((model, max_tokens, stream, include_usage, bytes.div_ceil(4).max(1) as u64))
}

fn given<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

fn text_bytes(message: &Value) -> Result<usize, &'static str> {
    let fields = message.as_object().ok_or("")?;
    let role = fields.get("role").and_then(Value::as_str).filter(|role| ROLES.contains(role)).ok_or(".role")?;
    match fields.get("content") {
        Some(Value::String(text)) => Ok(text.len()),
        Some(Value::Array(parts)) => Ok(parts.iter().filter_map(|part| part.get("text")?.as_str()).map(str::len).sum()),
        None | Some(Value::Null) if role == "assistant" => Ok(0),
        _ => Err(".content"),
    }
}

/// A text that is nearly a request: mostly the right members, with a few bytes changed.
fn body(rng: &mut Rng) -> Vec<u8> {
    let mut text = String::new();
    object(rng, &mut text, 0);
    let mut bytes = text.into_bytes();
    for _ in 0..[0, 0, 1, 2][rng.usize(..4)] {
        const BYTES: &[u8] = b"{}[]\",:\\ue0-1.x \n\t\x00\x7f\xc3\xa9\xff";
        let at = rng.usize(..bytes.len());
        match rng.u8(..3) {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, BYTES[rng.usize(..BYTES.len())]),
            _ => bytes[at] = BYTES[rng.usize(..BYTES.len())],
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

const NAMES: [&str; 12] = [
    "messages",
    "role",
    "content",
    "text",
    "model",
    "max_tokens",
    "max_completion_tokens",
    "stream",
    "stream_options",
    "include_usage",
    "m\\u006fdel",
    "other",
];
const SCALARS: [&str; 22] = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "7",
    "100.0",
    "1e2",
    "1000001",
    "18446744073709551616",
    "\"\"",
    "\"user\"",
    "\"assistant\"",
    "\"robot\"",
    "\"a\\n\\u00e9\\ud83e\\udd80\"",
    "\"\u{e9}\u{1f980}\"",
    "\"/\\/\"",
    "-0.5",
    "[]",
    "{}",
    " 3 ",
];

fn object(rng: &mut Rng, text: &mut String, depth: usize) {
    text.push('{');
    for index in 0..rng.usize(..5) {
        let name = if depth == 0 && index == 0 { NAMES[0] } else { NAMES[rng.usize(..NAMES.len())] };
        text.push_str(if index == 0 { "" } else { ", " });
        text.push_str(&format!("\"{name}\":"));
        match (name, rng.u8(..8)) {
            ("messages", 0..=5) => list(rng, text, depth, true),
            ("role", 0..=5) => text.push_str(["\"user\"", "\"assistant\"", "\"tool\""][rng.usize(..3)]),
            ("stream_options", 0..=5) => object(rng, text, depth + 1),
            ("content", 0..=2) => list(rng, text, depth, false),
            _ => value(rng, text, depth),
        }
    }
    text.push('}');
}

fn list(rng: &mut Rng, text: &mut String, depth: usize, messages: bool) {
    text.push('[');
    for index in 0..rng.usize(..4) {
        text.push_str(if index == 0 { "" } else { "," });
        match rng.u8(..8) {
            0..=4 if messages => text.push_str(r#"{"role":"user","content":"hi"}"#),
            0..=6 if depth < 4 => object(rng, text, depth + 1),
            _ => value(rng, text, depth),
        }
    }
    text.push(']');
}

fn value(rng: &mut Rng, text: &mut String, depth: usize) {
    match rng.u8(..6) {
        0 if depth < 4 => object(rng, text, depth + 1),
        1 if depth < 4 => list(rng, text, depth + 1, false),
        _ => text.push_str(SCALARS[rng.usize(..SCALARS.len())]),
    }
}

#[test]
fn random_texts_are_read_as_from_a_tree() {
    const PARTS: usize = 8;
    let parts: Vec<_> =
        (0..PARTS as u64).map(|seed| std::thread::spawn(move || compare(seed, CASES / PARTS))).collect();
    for part in parts {
        let [requests, rejected, not_json] = part.join().unwrap();
        let enough = CASES / PARTS / 20;
        assert!(requests > enough && rejected > enough && not_json > enough, "{requests} {rejected} {not_json}");
    }
}

/// How many texts were valid requests, invalid ones, and not JSON.
fn compare(seed: u64, cases: usize) -> [usize; 3] {
    let mut rng = Rng::with_seed(seed);
    let mut kinds = [0; 3];
    for case in 0..cases {
        let body = body(&mut rng);
        let read = match serde_json::from_slice::<Value>(&body) {
            Ok(tree) => naive(&tree),
            // JSON by its grammar with a value that Rust has no type for: it is passed on unchanged.
            Err(error) if ["out of range", "hex escape"].iter().any(|cause| error.to_string().contains(cause)) => {
                continue;
            }
            Err(_) => Err(None),
        };
        kinds[match &read {
            Ok(_) => 0,
            Err(Some(_)) => 1,
            Err(None) => 2,
        }] += 1;
        assert_eq!(ours(&body), read, "seed {seed}, case {case}: {}", String::from_utf8_lossy(&body));
    }
    kinds
}
