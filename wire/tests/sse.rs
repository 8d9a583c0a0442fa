//! The decoder: however a stream is split into pieces, and whichever line endings it uses, the decoded events are the
//! encoded ones.

use proptest::prelude::*;
use wire::sse::{DecodeError, Decoder, Event};

fn decode_in_pieces(stream: &[u8], cuts: &[usize]) -> Result<Vec<Event>, DecodeError> {
    let mut decoder = Decoder::new(1 << 20);
    let mut events = Vec::new();
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    cuts.sort_unstable();
    let mut start = 0;
    for cut in cuts.into_iter().chain([stream.len()]) {
        decoder.decode(&stream[start..cut], &mut events)?;
        start = cut;
    }
    Ok(events)
}

/// Text without line ends, rich in multi-byte characters, colons and leading spaces.
fn line_text() -> impl Strategy<Value = String> {
    "[ :a-c{}\u{e9}\u{20ac}\u{1f980}]{0,12}"
}

fn event() -> impl Strategy<Value = Event> {
    (proptest::option::of("[a-z]{1,8}"), proptest::collection::vec(line_text(), 1..4))
        .prop_map(|(name, lines)| Event { name, data: lines.join("\n") })
}

fn line_end() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("\n"), Just("\r\n"), Just("\r")]
}

fn write_event(event: &Event, end: &str, comment: bool) -> String {
    let mut text = String::new();
    if comment {
        text += &format!(": ping{end}id: 7{end}");
    }
    if let Some(name) = &event.name {
        text += &format!("event: {name}{end}");
    }
    for line in event.data.split('\n') {
        text += &format!("data: {line}{end}");
    }
    text + end
}

proptest! {
    #[test]
    fn any_split_and_any_line_ending_give_the_same_events(
        events in proptest::collection::vec((event(), line_end(), any::<bool>()), 0..6),
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
        byte_order_mark in any::<bool>(),
    ) {
        let mut stream = if byte_order_mark { "\u{feff}".to_owned() } else { String::new() };
        for (event, end, comment) in &events {
            // A bare CR right before a bare LF is one CRLF, according to the standard.
            stream += &write_event(event, end, *comment);
        }
        let same_end = events.windows(2).all(|pair| !(pair[0].1 == "\r" && pair[1].1 == "\n"));
        prop_assume!(same_end);
        let expected: Vec<Event> = events.into_iter().map(|(event, ..)| event).collect();
        prop_assert_eq!(decode_in_pieces(stream.as_bytes(), &cuts), Ok(expected));
    }

    #[test]
    fn no_input_makes_it_panic_or_buffer_more_than_its_limit(
        stream in proptest::collection::vec(any::<u8>(), 0..400),
        cuts in proptest::collection::vec(any::<usize>(), 0..10),
    ) {
        let whole = decode_in_pieces(&stream, &[]);
        prop_assert_eq!(decode_in_pieces(&stream, &cuts), whole);
    }

    #[test]
    fn an_event_over_the_limit_is_an_error_however_it_is_split(
        length in 65usize..300,
        piece in 1usize..64,
        lines in 1usize..5,
    ) {
        let mut decoder = Decoder::new(64);
        let stream = format!("data: {}\n", "x".repeat(length)).repeat(lines);
        let outcome = stream.as_bytes().chunks(piece).try_for_each(|part| decoder.decode(part, &mut Vec::new()));
        prop_assert_eq!(outcome, Err(DecodeError::TooLarge { limit: 64 }));
    }
}

#[test]
fn a_truncated_event_is_not_returned_but_mid_event_is_true() {
    let mut decoder = Decoder::new(1024);
    let mut events = Vec::new();
    decoder.decode(b"data: whole\n\ndata: cut\n", &mut events).unwrap();
    assert_eq!(events.len(), 1);
    assert!(decoder.mid_event());
    decoder.decode(b"\n", &mut events).unwrap();
    assert_eq!(events.len(), 2);
    assert!(!decoder.mid_event());
}

#[test]
fn invalid_utf8_is_an_error_and_not_replaced() {
    let outcome = decode_in_pieces(b"data: \xff\xfe\n\n", &[]);
    assert!(matches!(outcome, Err(DecodeError::NotUtf8(_))));
}

/// A relay passes on exactly what it received, each event with all of its bytes.
#[test]
fn the_parts_of_a_stream_are_its_bytes_however_it_is_split() {
    let stream = "\u{feff}: ping\nid: 1\ndata: a\n\nevent: x\ndata\n\n: pong\n\nretry: 5\n\ndata: [DONE]\n\n";
    for end in ["\n", "\r\n", "\r"] {
        let stream = stream.replace('\n', end);
        for size in 1..=stream.len() {
            let (mut decoder, mut raw, mut last) = (Decoder::new(1 << 20), Vec::new(), Vec::new());
            for mut piece in stream.as_bytes().chunks(size) {
                while let Some(part) = decoder.next_part(&mut piece).unwrap() {
                    raw.extend_from_slice(part.raw);
                    last = part.raw.to_vec();
                }
            }
            assert_eq!(raw, stream.as_bytes(), "{end:?} in pieces of {size}");
            assert!(
                last.ends_with(format!("data: [DONE]{end}{end}").as_bytes()),
                "{end:?} in pieces of {size}: {last:?}"
            );
        }
    }
}
