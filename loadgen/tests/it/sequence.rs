//! `sequence` against the mock vendor itself, and against servers that answer something else.

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::result_schema::ResultSchema;
use crate::scripted::{CHECK_OK, FAILING, FAILS, HANGS, Script, loadgen, serve};
use mock_llm::{MockLlm, MockLlmBuilder};
use serde_json::Value;

fn vendor() -> MockLlmBuilder {
    MockLlm::builder().api_key("demo-key").tokens(400).ttft(Duration::ZERO).inter_token(Duration::ZERO)
}

/// The exit code and the output for this server.
async fn sequence(url: &str, more: &[&str]) -> (i32, String) {
    loadgen(&[&["sequence", "--url", url, "--api-key", "demo-key"], more].concat()).await
}

fn path_of(vendor: &MockLlm) -> String {
    format!("{}/v1/chat/completions", vendor.url())
}

/// The words of the row of a call.
fn row(said: &str, call: u32) -> Vec<&str> {
    let rows = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.into_iter()
        .find(|words| words.first() == Some(&&*call.to_string()))
        .unwrap_or_else(|| panic!("{call}: {said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_calls_reach_the_vendor_with_all_their_tokens() {
    let vendor = vendor().start().await.unwrap();
    let (code, said) = sequence(&path_of(&vendor), &[]).await;
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("12 of 12 calls") && said.contains("24,944 tokens in all") && said.contains("No call failed"),
        "{said}"
    );
    assert!(!said.contains("warning"), "{said}");
    let ledger = vendor.ledger();
    assert_eq!((ledger.completed, ledger.peak_active), (12, 1), "one after another");
    assert_eq!((ledger.prompt_tokens, ledger.tokens_sent), (23_778, 1_166));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_quota_fails_the_third_call_at_7059_tokens() {
    let vendor = vendor().quota_tokens(7_000, Duration::from_secs(600)).start().await.unwrap();
    let [out, html] = ["sequence.json", "sequence.html"].map(|name| Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
    let files = ["--out", out.to_str().unwrap(), "--html", html.to_str().unwrap()];
    let (code, said) = sequence(&path_of(&vendor), &files).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("First failure: call 3, at 7,059 tokens."), "{said}");
    assert!(row(&said, 3).ends_with(&["FAILED"]) && row(&said, 3).contains(&"429"), "{said}");
    assert!(
        row(&said, 2).ends_with(&["ok"])
            && said.contains("  Rate limit reached on tokens: limit 7000, requested 4058."),
        "{said}"
    );

    let (text, page) = (std::fs::read_to_string(&out).unwrap(), std::fs::read_to_string(html).unwrap());
    assert!(!text.contains("demo-key") && !page.contains("demo-key"), "the key is in the result");
    let result: Value = serde_json::from_str(&text).unwrap();
    crate::page_rules::check(&page, &result);
    assert!(page.contains("First failure: call 3, at 7,059 tokens."), "{page:.3000}");
    let (code, again) = loadgen(&["report", out.to_str().unwrap()]).await;
    assert!(code == 0 && said.starts_with(again.trim_end()), "{again}");
    ResultSchema::new().accepts(&result);
    for (path, expected) in [
        ("/command", Value::from("sequence")),
        ("/verdict/result", "not held".into()),
        ("/verdict/claims/0/threshold", 12.0.into()),
        ("/target/streams/requested", 12.into()),
        ("/target/streams/peak_active", 1.into()),
        ("/target/sequence/first_failure/call", 3.into()),
        ("/target/sequence/first_failure/cumulative_tokens", 7_059.into()),
        ("/target/sequence/calls/1/ok", true.into()),
        ("/target/sequence/calls/1/vendor_tokens", 2_335.into()),
        ("/target/sequence/calls/2/status", 429.into()),
        ("/target/sequence/calls/11/cumulative_tokens", 24_944.into()),
    ] {
        assert_eq!(result.pointer(path), Some(&expected), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fewer_tokens_pass_the_same_quota() {
    let vendor = vendor().quota_tokens(7_000, Duration::from_secs(600)).start().await.unwrap();
    let (code, said) = sequence(&path_of(&vendor), &["--token-share", "0.2"]).await;
    assert!(code == 0 && said.contains("12 of 12 calls") && said.contains("4,990 tokens in all"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shorter_answers_than_the_table_has_are_a_warning() {
    let vendor = vendor().tokens(60).start().await.unwrap();
    let (code, said) = sequence(&path_of(&vendor), &["--calls", "3"]).await;
    let in_one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(code, 0, "{said}");
    assert!(in_one_line.contains("counted 6798 tokens in 3 answered calls, the table has 7059"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_chat_completion_is_an_answer() {
    const A_PAGE: Script = |mut request| {
        Box::pin(async move {
            let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>";
            request.send(page).await;
        })
    };
    for (script, status, shown) in [
        (A_PAGE, "200", "no chat completion, but text/html: <html></html>"),
        (FAILS, "500", "sorry"),
        (HANGS, "-", "no answer within 200ms"),
    ] {
        let (server, seen) = serve(script, CHECK_OK).await;
        let (code, said) = sequence(&format!("http://{server}"), &["--calls", "2", "--timeout", "200ms"]).await;
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(shown) && said.contains("First failure: call 1, at 666 tokens."), "{said}");
        assert!(row(&said, 2).contains(&status) && row(&said, 2).ends_with(&["FAILED"]), "{said}");
        assert_eq!(seen.streams.load(Relaxed), 2, "the second call goes out after the first has failed");
    }
}

/// The script ticks off a 500 in its line, and takes a page for an answer.
#[tokio::test(flavor = "multi_thread")]
async fn as_in_source_a_500_gets_a_tick_and_a_page_is_a_success() {
    const FIRST_A_PAGE: Script = |mut request| {
        Box::pin(async move {
            let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>";
            let first = request.seen.streams.load(Relaxed) == 1;
            request.send(if first { page } else { FAILING }).await;
        })
    };
    let (server, _) = serve(FIRST_A_PAGE, CHECK_OK).await;
    let (code, said) = sequence(&format!("http://{server}"), &["--as-in-source", "--calls", "2"]).await;
    assert!(code == 1 && said.contains("First failure: call 2"), "{said}");
    assert!(row(&said, 1).contains(&"✅") && row(&said, 2).contains(&"500") && row(&said, 2).contains(&"✅"), "{said}");

    let vendor = vendor().start().await.unwrap();
    let (code, said) = sequence(&path_of(&vendor), &["--as-in-source"]).await;
    let in_one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        code == 0 && in_one_line.contains("counted 7109 tokens in 12 answered calls, the table has 24944"),
        "{said}"
    );
}
