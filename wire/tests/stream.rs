//! Parsing vendors' events, in the shapes that vendors are known to send.

use wire::completion::Usage;
use wire::sse::{Decoder, Event};
use wire::stream::{
    CompletionEvent, EndOfBody, MalformedEvent, ParsedChunk, Progress, ReportedFailure, StreamEndError,
};

fn read(data: &str) -> Result<CompletionEvent, MalformedEvent> {
    CompletionEvent::read(&Event { name: None, data: data.into() })
}

#[track_caller]
fn chunk(data: &str) -> ParsedChunk {
    match read(data) {
        Ok(CompletionEvent::Chunk(reading)) => reading,
        other => panic!("{data}: {other:?}"),
    }
}

#[track_caller]
fn failure(data: &str) -> (String, Option<String>) {
    match read(data) {
        Ok(CompletionEvent::Error(ReportedFailure { reason, code })) => (reason, code),
        other => panic!("{data}: {other:?}"),
    }
}

/// A chunk with this choice.
fn choice(members: &str) -> String {
    format!(r#"{{"id":"a","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{{members}}}]}}"#)
}

#[test]
fn only_a_string_content_is_text() {
    let text = |delta: &str| chunk(&choice(&format!(r#""index":0,"delta":{delta},"finish_reason":null"#))).text;
    assert_eq!(text(r#"{"content":"a\nb \u00e9"}"#).as_deref(), Some("a\nb é"));
    for none in [
        r#"{"role":"assistant","content":""}"#,
        r#"{"content":null}"#,
        r#"{"content":5}"#,
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"..."}]}]}"#,
        r#"{"content":{"text":"a"}}"#,
        r#"{"reasoning_content":"a"}"#,
        r#"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#,
        "{}",
        "null",
        "5",
    ] {
        assert_eq!(text(none), None, "{none}");
    }
}

#[test]
fn generated_output_is_told_from_metadata() {
    let generates = |delta: &str| chunk(&choice(&format!(r#""index":0,"delta":{delta}"#))).generates;
    for delta in [
        r#"{"content":"a"}"#,
        r#"{"reasoning_content":"a"}"#,
        r#"{"content":[{"type":"thinking"}]}"#,
        r#"{"role":"assistant","content":null,"tool_calls":[{"index":0}]}"#,
    ] {
        assert!(generates(delta), "{delta}");
    }
    for delta in
        ["{}", "null", r#"{"role":"assistant","content":""}"#, r#"{"refusal":null,"tool_calls":[],"reasoning":""}"#]
    {
        assert!(!generates(delta), "{delta}");
    }
}

#[test]
fn a_chunk_may_lack_members_and_have_unknown_ones() {
    let azure = r#"{"choices":[{"content_filter_offsets":{},"finish_reason":null,"index":0}],"created":0,"id":"","model":"","object":""}"#;
    for data in [
        azure,
        r#"{"choices":[]}"#,
        r#"{"choices":null}"#,
        r#"{"choices":{}}"#,
        r#"{"choices":[null,5,"a"]}"#,
        r#"{"choices":[],"cost":"0"}"#,
        r#"{"choices":[],"usage":{}}"#,
        r#"{"choices":[],"usage":null,"error":null}"#,
        r#"{"choices":[],"error":{},"created":1.5e300}"#,
        r#"{"id":7,"choices":[{"index":"0","delta":[],"finish_reason":{}}],"choices":[]}"#,
    ] {
        let read = chunk(data);
        assert_eq!((read.text, read.finish_reason, read.usage), (None, None, None), "{data}");
    }
    let without = r#"{"choices":[{"delta":{"content":"a"}}]}"#;
    assert_eq!(chunk(without).text.as_deref(), Some("a"));
}

#[test]
fn other_json_is_ignored_and_invalid_json_is_malformed() {
    for data in ["", " ", "{}", "[]", "5", "null", "\"a\"", r#"{"content":"a"}"#, r#"{"error":1e999}"#, "1e999"] {
        assert_eq!(read(data), Ok(CompletionEvent::Other), "{data}");
    }
    for data in ["hello", "{\"choices\":", "{}{}", "[DONE", "{\"choices\":[]} x", "{'a':1}"] {
        assert!(read(data).is_err(), "{data}");
    }
    assert_eq!(read("[DONE]"), Ok(CompletionEvent::Done));
}

#[test]
fn half_a_surrogate_pair_is_replaced_in_the_text() {
    let reading = chunk(&choice(r#""index":0,"delta":{"content":"a\ud83d"}"#));
    assert_eq!(reading.text.as_deref(), Some("a\u{fffd}"));
}

#[test]
fn token_counts_are_numbers_and_each_may_be_missing() {
    let usage = |usage: &str| chunk(&format!(r#"{{"choices":[],"usage":{usage}}}"#)).usage;
    let counts =
        |prompt_tokens, completion_tokens, total_tokens| Some(Usage { prompt_tokens, completion_tokens, total_tokens });
    assert_eq!(usage(r#"{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}"#), counts(3, 4, 7));
    assert_eq!(usage(r#"{"prompt_tokens":3.0,"completion_tokens":4,"x":{"y":[]}}"#), counts(3, 4, 7));
    assert_eq!(usage(r#"{"total_tokens":7}"#), counts(0, 0, 7));
    assert_eq!(usage(r#"{"prompt_tokens":"3","completion_tokens":-4,"total_tokens":1.5}"#), None);
    assert_eq!(usage("5"), None);
    assert_eq!(chunk(r#"{"usage":{"total_tokens":7}}"#).usage, counts(0, 0, 7), "also without choices");
}

#[test]
fn a_failure_is_recognized_in_every_usual_shape() {
    let some = |text: &str| Some(text.to_owned());
    for (data, code) in [
        (r#"{"error":{"message":"R","type":"server_error","code":null,"param":null}}"#, some("server_error")),
        (r#"{"error":{"code":502,"message":"R"}}"#, some("502")),
        (r#"{"error":{"message":"R"}}"#, None),
        (r#"{"error":"R"}"#, None),
        (r#"{"object":"error","message":"R","type":"BadRequestError","code":400}"#, some("400")),
        (r#"{"type":"error","error":{"type":"overloaded_error","message":"R"}}"#, some("overloaded_error")),
        (r#"{"error":{"message":{"detail":"R"}}}"#, None),
        (
            r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"error"}],"error":{"code":"x","message":"R"}}"#,
            some("x"),
        ),
        (r#"{"choices":[{"delta":{},"error":{"message":"R"},"finish_reason":null}]}"#, None),
        (r#"{"id":1,"choices":[],"error":"R"}"#, None),
        (r#"{"error":{"message":"R","code":"a","type":"insufficient_quota"}}"#, some("insufficient_quota")),
    ] {
        assert_eq!(failure(data), ("R".into(), code), "{data}");
    }
    let bare = choice(r#""index":0,"delta":{},"finish_reason":"error""#);
    assert_eq!(failure(&bare), (bare.clone(), None), "without a reason, all of it is the reason");
    assert_eq!(failure(r#"{"error":{"info":7}}"#).0, r#"{"error":{"info":7}}"#);
    assert_eq!(failure(r#"{"error":true}"#).0, r#"{"error":true}"#);
}

#[test]
fn an_event_named_error_is_a_failure_whatever_its_data() {
    let named = |data: &str| match CompletionEvent::read(&Event { name: Some("error".into()), data: data.into() }) {
        Ok(CompletionEvent::Error(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(named("out of memory"), "out of memory");
    assert_eq!(named(r#"{"message":"R","code":7}"#), "R (7)");
    assert_eq!(named(r#"{"detail":"R"}"#), "R");
    assert_eq!(named(""), "no reason given");
}

#[test]
fn an_empty_error_member_is_not_a_failure() {
    for data in [r#"{"error":null}"#, r#"{"error":false}"#, r#"{"error":""}"#, r#"{"error":{}}"#, r#"{"error":[]}"#] {
        assert_eq!(read(data), Ok(CompletionEvent::Other), "{data}");
    }
}

#[test]
fn the_reason_is_found_in_every_usual_error_body() {
    let reason = |body: &str| ReportedFailure::parse(body.as_bytes()).to_string();
    let azure = r#"{"error":{"message":"R","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"Policy","content_filter_result":{}}}}"#;
    assert_eq!(reason(azure), "R (content_filter)");
    assert_eq!(reason(r#"{"error":{"code":402,"message":"R","metadata":{"raw":"x"}}}"#), "R (402)");
    assert_eq!(reason(r#"{"detail":[{"loc":["body"],"msg":"R"},{"msg":"S"}]}"#), "R; S");
    assert_eq!(reason(r#"{"detail":"R"}"#), "R");
    assert_eq!(reason(r#"{"message":"R"}"#), "R");
    assert_eq!(reason(r#"[{"error":{"message":"R"}}]"#), "R");
    assert_eq!(reason("<h1>Bad Request</h1>"), "<h1>Bad Request</h1>");
    assert_eq!(ReportedFailure::parse(b"\xff").reason, "\u{fffd}");
    assert_eq!(reason(&format!(r#"{{"error":"{}"}}"#, "é".repeat(2000))).chars().count(), 500);
    let deep = format!("{}{}", r#"{"error":"#.repeat(100), "}".repeat(100));
    assert_eq!(reason(&deep).chars().count(), 500);
}

#[test]
fn a_stream_is_complete_with_done_or_all_finish_reasons() {
    fn progress(stream: &str) -> (bool, EndOfBody) {
        let (mut decoder, mut events) = (Decoder::new(1 << 20), Vec::new());
        decoder.decode(stream.as_bytes(), &mut events).unwrap();
        let mut progress = Progress::default();
        events.iter().for_each(|event| progress.note(&CompletionEvent::read(event).unwrap()));
        (progress.is_done(), progress.end(&mut decoder))
    }
    let text =
        |index: u32| format!("data: {{\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"a\"}}}}]}}\n\n");
    let stop = |index: u32| format!("data: {{\"choices\":[{{\"index\":{index},\"finish_reason\":\"stop\"}}]}}\n\n");
    let done = "data: [DONE]\n\n";
    for (stream, left, whole) in [
        (String::new(), String::new(), false),
        (text(0), String::new(), false),
        (format!("{}{done}", text(0)), String::new(), true),
        (format!("{}data: [DONE]\n", text(0)), done.into(), true),
        (format!("{}data: [DONE]", text(0)), done.into(), true),
        (text(0) + &stop(0), done.into(), true),
        (text(0) + stop(0).trim_end(), stop(0) + done, true),
        (text(0) + text(0).trim_end(), text(0), false),
        (text(0) + &stop(0) + "data: {\"choi", String::new(), false),
        (text(0) + &text(1) + &stop(0), String::new(), false),
        (text(0) + &text(1) + &stop(0) + &stop(1), done.into(), true),
        (text(0) + &stop(0) + "data: {\"choices\":[],\"usage\":{\"total_tokens\":1}}\n\n", done.into(), true),
        (text(0) + &stop(0) + "data: {\"choices\":[{\"content_filter_offsets\":{}}]}\n\n", done.into(), true),
    ] {
        let (was_done, end) = progress(&stream);
        assert_eq!(was_done, stream.ends_with(done), "{stream}");
        let fault = (!whole).then_some(StreamEndError::Truncated);
        assert_eq!((str::from_utf8(&end.raw), end.fault), (Ok(&*left), fault), "{stream}");
    }
    let fault = |stream: &str| progress(stream).1.fault;
    assert!(matches!(fault("data: {\"error\":\"R\"}\n"), Some(StreamEndError::Reported(of)) if of.reason == "R"));
}

#[test]
fn another_format_is_told_from_a_truncated_stream() {
    let fault = |body: &str| {
        let (mut decoder, mut progress) = (Decoder::new(1 << 20), Progress::default());
        let mut rest = body.as_bytes();
        while let Some(part) = decoder.next_part(&mut rest).unwrap() {
            match &part.event {
                Some(event) => progress.note(&CompletionEvent::read(event).unwrap()),
                None => progress.note_lines(part.raw),
            }
        }
        progress.end(&mut decoder).fault.unwrap()
    };
    for strange in ["<h1>hello</h1>", "<h1>\n\nhello\n", "{\"hello\":\n \"world\"}"] {
        assert_eq!(fault(strange), StreamEndError::UnexpectedFormat, "{strange}");
    }
    for cut in ["", "\n", ": ping\n\n", ": pi", "id: 5\n\n", "retry: 5\n", "data: {\"choices\":[]}\n\n", "data: {"] {
        assert_eq!(fault(cut), StreamEndError::Truncated, "{cut}");
    }
}
