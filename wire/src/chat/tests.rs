//! Tests of parsing chat requests.

use super::*;

const USER: &str = r#"{"role":"user","content":"x"}"#;

fn invalid_field(body: &str) -> (String, String) {
    let error = ChatRequest::parse(body.as_bytes()).unwrap_err().body().error;
    (error.param.unwrap_or_default(), error.message)
}

/// A request with one message and these additional members.
fn with(members: &str) -> String {
    format!(r#"{{"messages":[{USER}]{members}}}"#)
}

#[test]
fn every_invalid_field_is_named() {
    for (body, param) in [
        ("[]".to_owned(), "body"),
        (" 7 ".to_owned(), "body"),
        ("{}".to_owned(), "messages"),
        (r#"{"messages":[]}"#.to_owned(), "messages"),
        (r#"{"messages":[1]}"#.to_owned(), "messages[0]"),
        (r#"{"messages":[1e999]}"#.to_owned(), "messages[0]"),
        (r#"{"messages":[["role"]]}"#.to_owned(), "messages[0]"),
        (r#"{"messages":[{"content":"x"}]}"#.to_owned(), "messages[0].role"),
        (r#"{"messages":[{"role":"robot","content":"x"}]}"#.to_owned(), "messages[0].role"),
        (format!(r#"{{"messages":[{USER},{{"role":"user"}}]}}"#), "messages[1].content"),
        (format!(r#"{{"messages":[{USER},{{"role":"user","content":{{}}}}]}}"#), "messages[1].content"),
        (with(r#","model":7"#), "model"),
        (with(r#","max_tokens":0"#), "max_tokens"),
        (with(r#","max_tokens":1000000000000"#), "max_tokens"),
        (with(r#","max_tokens":-1"#), "max_tokens"),
        (with(r#","max_tokens":100.0"#), "max_tokens"),
        (with(r#","max_completion_tokens":"5""#), "max_completion_tokens"),
        (with(r#","stream":"yes""#), "stream"),
        (with(r#","stream_options":[]"#), "stream_options"),
        (with(r#","stream_options":{"include_usage":1}"#), "stream_options.include_usage"),
    ] {
        assert_eq!(invalid_field(&body).0, param, "{body}");
    }
}

#[test]
fn a_relayed_body_is_rejected_only_for_what_the_server_needs() {
    let relayed = |body: &str| ChatRequest::parse_relayed(body.as_bytes()).map(|asked| asked.max_tokens);
    for number in ["-1", "100.0", "1e400", "0", "5000000000"] {
        assert_eq!(relayed(&with(&format!(r#","max_tokens":{number}"#))), Ok(None), "{number}");
    }
    assert_eq!(relayed(&with(r#","max_tokens":5"#)), Ok(Some(5)));
    for message in [
        r#"{"role":"critic","content":"x"}"#,
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function"}]}"#,
        r#"{"role":"tool","tool_call_id":"a","content":null}"#,
        r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}"#,
        r#"{"role":"user","content":"\ud83d"}"#,
    ] {
        let body = format!(r#"{{"messages":[{message}],"stop":["a"],"response_format":{{"type":"x"}},"n":1e400}}"#);
        assert_eq!(relayed(&body), Ok(None), "{message}");
    }
    assert_eq!(relayed(&with(r#","stream_options":{"include_usage":1,"x":2}"#)), Ok(None));
    for (body, param) in [
        (with(r#","stream":"yes""#), "stream"),
        (with(r#","max_tokens":"many""#), "max_tokens"),
        (with(r#","model":7"#), "model"),
        (r#"{"messages":[{"role":7,"content":"x"}]}"#.to_owned(), "messages[0].role"),
        (r#"{"messages":[{"role":"user","content":7}]}"#.to_owned(), "messages[0].content"),
        (r#"{"messages":[{"role":"user"}]}"#.to_owned(), "messages[0].content"),
    ] {
        let error = relayed(&body).unwrap_err();
        assert_eq!(error.body().error.param.as_deref(), Some(param), "{body}");
    }
}

#[test]
fn parse_as_vendor_accepts_the_numbers_that_vendors_accept() {
    let max = |number: &str| {
        let body = with(&format!(r#","max_tokens":{number}"#));
        ChatRequest::parse_as_vendor(body.as_bytes()).map(|asked| asked.max_tokens).map_err(|_| ())
    };
    assert_eq!([max("-1"), max("100.0"), max("1e2"), max("7")], [Ok(None), Ok(Some(100)), Ok(Some(100)), Ok(Some(7))]);
    assert_eq!([max("0"), max("-2"), max("1.5"), max("1e400"), max("\"7\"")], [Err(()); 5]);
}

#[test]
fn an_error_for_malformed_json_says_where() {
    for body in [&b"{\"messages\":"[..], b"", b"{\"a\":1}}", b"{\"a\":[1,]}", b"{\"a\":\"\xff\"}", b"[1,"] {
        let error = ChatRequest::parse(body).unwrap_err().body().error;
        assert_eq!(error.code.as_deref(), Some("invalid_json"), "{body:?}");
        assert!(error.message.contains("line 1") || error.message.contains("index 6"), "{}", error.message);
    }
}

#[test]
fn an_error_echoes_little_of_what_the_client_sent() {
    let body = format!(r#"{{"messages":{{"a":"{}"}}}}"#, "x".repeat(5000));
    assert!(invalid_field(&body).1.len() < 200);
    assert!(!invalid_field("{\"messages\":{\n\"a\":1}}").1.contains('\n'), "one line");
}

#[test]
fn tokens_count_text_and_not_images() {
    let image = format!(r#"{{"type":"image_url","image_url":{{"url":"data:{}"}}}}"#, "A".repeat(5000));
    for (messages, tokens) in [
        (r#"{"role":"user","content":"12345678"}"#.to_owned(), 2),
        (r#"{"role":"user","content":""}"#.to_owned(), 1),
        // Four bytes when decoded.
        (r#"{"role":"user","content":"\n\t\u00e9"}"#.to_owned(), 1),
        (format!(r#"{{"role":"user","content":[{{"type":"text","text":"1234"}},{image},7,{{"text":"5678"}}]}}"#), 2),
        (r#"{"content":"1234","role":"user","content":"12345678"},{"role":"assistant","content":null}"#.to_owned(), 2),
    ] {
        let body = format!(r#"{{"messages":[{messages}]}}"#);
        assert_eq!(ChatRequest::parse(body.as_bytes()).unwrap().prompt_tokens(), tokens, "{messages:.80}");
    }
}

#[test]
fn a_prompt_becomes_one_user_message() {
    let asked = ChatRequest::parse_prompt_or_messages(br#"{"prompt":"hi\n"}"#).unwrap();
    assert_eq!(asked.messages.get(), r#"[{"role":"user","content":"hi\n"}]"#);
    assert!(ChatRequest::parse_prompt_or_messages(b"{}").is_err());
    assert!(ChatRequest::parse_prompt_or_messages(br#"{"prompt":1}"#).is_err());
}

#[test]
fn the_upstream_body_has_the_messages_unchanged() {
    let body = br#"{"messages" : [ {"role":"user","content":"hi\n\u00e9","name":"n"} ],"max_tokens":5}"#;
    let asked = ChatRequest::parse(body).unwrap();
    let sent = asked.to_upstream_body("mock", true);
    let sent = ChatRequest::parse(&sent).unwrap();
    assert_eq!(sent.messages.get(), r#"[ {"role":"user","content":"hi\n\u00e9","name":"n"} ]"#);
    assert_eq!((sent.max_tokens, sent.stream, sent.model.as_deref()), (Some(5), true, Some("mock")));
}

/// Names may be escaped, and the last of two members with the same name counts.
#[test]
fn escaped_and_duplicate_names_are_found() {
    let body = br#"{"m\u006fdel":"a","messages":7,"\ud800":1,"model":"b","messages":[{"role":"user","content":"x"}]}"#;
    assert_eq!(ChatRequest::parse(body).unwrap().model.as_deref(), Some("b"));
}
