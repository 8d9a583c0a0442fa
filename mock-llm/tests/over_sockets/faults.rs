//! Every fault, for streamed and for complete answers, set in each of the three ways.

use std::time::{Duration, Instant};

use crate::client::{End, Seen, body, post, send, until};
use mock_llm::{MockLlm, MockLlmBuilder, text};
use serde_json::json;
use wire::stream::CompletionEvent;

const TOKENS: u32 = 6;
const AFTER: u32 = 3;
const GAP: Duration = Duration::from_millis(4);
/// Silence of this length counts as a hang: many times what any answer here takes.
const SILENCE: Duration = Duration::from_secs(1);
/// Least duration with `slow-headers` and `drip`.
const DELAY: Duration = Duration::from_millis(150);

/// What is expected of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// All tokens, in order and well-formed.
    Answer,
    /// An error of this status.
    Status(u16),
    /// No response, and this end of the connection.
    Nothing(End),
    /// The first tokens and nothing else, and this end.
    FirstTokens(End),
    /// The first tokens, an event that is not JSON, and no more.
    Malformed,
    /// The first tokens, an error event, and no more.
    ErrorEvent,
    /// A response that is not JSON.
    BrokenJson,
}

/// A rule, what it does to a stream and to a complete answer, and the outcome in the ledger.
const TABLE: [(&str, Expect, Expect, &str); 14] = [
    ("status=503", Expect::Status(503), Expect::Status(503), "failed"),
    ("status=429;retry-after=2", Expect::Status(429), Expect::Status(429), "failed"),
    ("hang", Expect::Nothing(End::Silent), Expect::Nothing(End::Silent), "cancelled"),
    ("reset", Expect::Nothing(End::Reset), Expect::Nothing(End::Reset), "failed"),
    ("close", Expect::Nothing(End::Closed), Expect::Nothing(End::Closed), "failed"),
    ("hang-after=3", Expect::FirstTokens(End::Silent), Expect::Nothing(End::Silent), "cancelled"),
    ("reset-after=3", Expect::FirstTokens(End::Reset), Expect::Nothing(End::Reset), "failed"),
    ("close-after=3", Expect::FirstTokens(End::Whole), Expect::Nothing(End::Closed), "failed"),
    ("cut-after=3", Expect::FirstTokens(End::Closed), Expect::Nothing(End::Closed), "failed"),
    ("malformed-after=3", Expect::Malformed, Expect::BrokenJson, "failed"),
    ("error-event-after=3", Expect::ErrorEvent, Expect::Status(500), "failed"),
    ("slow-headers=150ms", Expect::Answer, Expect::Answer, "completed"),
    ("drip=40ms", Expect::Answer, Expect::Answer, "completed"),
    ("ignore-disconnect", Expect::Answer, Expect::Answer, "completed"),
];

/// The three ways to set a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Flag,
    RunTime,
    Header,
}

fn quick() -> MockLlmBuilder {
    MockLlm::builder().tokens(TOKENS).ttft(GAP).inter_token(GAP)
}

async fn call_with(rule: &str, by: By, stream: bool) -> (MockLlm, Seen, Duration) {
    let mut builder = quick();
    if by == By::Flag {
        builder = builder.fault(rule);
    }
    let mock = builder.start().await.unwrap();
    if by == By::RunTime {
        let rules = json!({"faults": [rule]});
        let set = send(&mock, "POST", "/debug/faults", &[], &rules.to_string()).await.finish().await;
        assert_eq!((set.status, set.json()), (Some(200), rules));
    }
    let headers = [("x-mock-fault", rule)];
    let headers = if by == By::Header { &headers[..] } else { &[] };
    let sent = Instant::now();
    let seen = post(&mock, headers, &body(stream)).await.read(SILENCE).await;
    (mock, seen, sent.elapsed())
}

#[tokio::test]
async fn every_fault_has_the_documented_effect() {
    let mut cases = tokio::task::JoinSet::new();
    for (rule, streamed, whole, outcome) in TABLE {
        for by in [By::Flag, By::RunTime, By::Header] {
            for (stream, expected) in [(true, streamed), (false, whole)] {
                cases.spawn(async move {
                    let case = format!("{rule} by {by:?}, stream {stream}");
                    let (mock, seen, took) = call_with(rule, by, stream).await;
                    check(&case, expected, &seen, stream);
                    if rule.starts_with("slow-headers") || rule.starts_with("drip") {
                        assert!(took >= DELAY, "{case}: {took:?}");
                    }
                    let ledger = until(&mock, |ledger| ledger.active == 0).await;
                    let counted = match outcome {
                        "completed" => ledger.completed,
                        "cancelled" => ledger.cancelled,
                        _ => ledger.failed,
                    };
                    assert_eq!((ledger.started, counted), (1, 1), "{case}: {ledger:?}");
                    let name = rule.split(['=', ';']).next().unwrap();
                    assert_eq!(ledger.faults, [(name.to_owned(), 1)].into(), "{case}");
                    let answered = ledger.requests_by_status.values().sum::<u64>();
                    assert_eq!(answered + ledger.unanswered, 1, "{case}: {ledger:?}");
                });
            }
        }
    }
    while let Some(case) = cases.join_next().await {
        case.unwrap();
    }
}

fn check(case: &str, expected: Expect, seen: &Seen, stream: bool) {
    match expected {
        Expect::Status(status) => {
            assert_eq!((seen.status, seen.end), (Some(status), End::Whole), "{case}");
            assert!(seen.json()["error"]["type"].is_string(), "{case}");
            let retry_after = case.contains("retry-after=2").then_some("2");
            assert_eq!(seen.header("retry-after"), retry_after, "{case}");
        }
        Expect::Nothing(end) => assert_eq!((seen.status, seen.end), (None, end), "{case}"),
        Expect::Answer => {
            assert_eq!((seen.status, seen.end), (Some(200), End::Whole), "{case}");
            let said = if stream { seen.text() } else { seen.json()["choices"][0]["message"]["content"].to_string() };
            let whole = text::answer(1, TOKENS);
            let expected = if stream { whole } else { json!(whole).to_string() };
            assert_eq!(said, expected, "{case}");
            assert!(!stream || seen.is_done(), "{case}");
        }
        Expect::FirstTokens(end) => {
            assert_first_tokens(case, seen, end, 0);
            assert!(seen.events().iter().all(Result::is_ok), "{case}");
        }
        Expect::Malformed => {
            assert_first_tokens(case, seen, End::Whole, 1);
            assert!(seen.events().last().unwrap().is_err(), "{case}");
        }
        Expect::ErrorEvent => {
            assert_first_tokens(case, seen, End::Whole, 1);
            assert!(matches!(seen.events().last(), Some(Ok(CompletionEvent::Error(_)))), "{case}");
        }
        Expect::BrokenJson => {
            assert_eq!((seen.status, seen.end), (Some(200), End::Whole), "{case}");
            assert!(serde_json::from_slice::<serde_json::Value>(&seen.body).is_err(), "{case}");
        }
    }
}

/// The role, the first tokens, `more` events, and then `end`.
fn assert_first_tokens(case: &str, seen: &Seen, end: End, more: usize) {
    assert_eq!((seen.status, seen.end), (Some(200), end), "{case}");
    assert_eq!(seen.text(), text::answer(1, AFTER), "{case}");
    assert_eq!(seen.events().len(), 1 + AFTER as usize + more, "{case}");
}

#[tokio::test]
async fn ignore_disconnect_counts_tokens_after_the_disconnect() {
    for stream in [true, false] {
        let mock = quick().tokens(30).fault("ignore-disconnect").slots(1).start().await.unwrap();
        let call = post(&mock, &[], &body(stream)).await;
        until(&mock, |ledger| ledger.active == 1).await;
        drop(call);
        let alone = until(&mock, |ledger| ledger.tokens_after_disconnect > 0).await;
        assert_eq!((alone.active, alone.cancelled), (1, 0), "it still generates");
        let ended = until(&mock, |ledger| ledger.active == 0).await;
        assert_eq!(ended.cancelled, 1);
        if stream {
            assert_eq!(ended.tokens_sent + ended.tokens_after_disconnect, 30);
        } else {
            // Tokens generated before the disconnect were never sent.
            assert!(ended.tokens_sent == 0 && ended.tokens_after_disconnect <= 30, "{ended:?}");
        }
    }
}

#[tokio::test]
async fn an_invalid_rule_leaves_those_in_force_unchanged() {
    let mock = quick().fault("status=503").start().await.unwrap();
    let faults = async |method: &str, body: &str| send(&mock, method, "/debug/faults", &[], body).await.finish().await;
    assert_eq!(faults("GET", "").await.json(), json!({"faults": ["status=503"]}));
    let rejected = faults("POST", r#"{"faults":["hang","hang;rat=1"]}"#).await;
    assert_eq!(rejected.status, Some(400));
    let error = &rejected.json()["error"];
    assert_eq!(error["param"], "faults[1]");
    assert!(error["message"].as_str().unwrap().contains("unknown word 'rat', expected rate or first"), "{error}");
    assert_eq!(faults("GET", "").await.json(), json!({"faults": ["status=503"]}));
    assert_eq!(faults("DELETE", "").await.json(), json!({"faults": []}));
    assert_eq!(post(&mock, &[], &body(true)).await.finish().await.status, Some(200));
}

#[tokio::test]
async fn an_invalid_fault_header_gets_400_with_its_name() {
    let mock = quick().start().await.unwrap();
    let seen = post(&mock, &[("x-mock-fault", "statsu=503")], &body(true)).await.finish().await;
    assert_eq!(seen.status, Some(400));
    assert_eq!(seen.json()["error"]["param"], "X-Mock-Fault");
    assert_eq!(mock.ledger().started, 0);
}

#[tokio::test]
async fn first_in_a_header_counts_the_attempts_of_a_request() {
    let mock = quick().start().await.unwrap();
    let attempt = async |id: &str| {
        let headers = [("x-mock-fault", "status=500;first=2"), ("x-request-id", id)];
        post(&mock, &headers, &body(false)).await.finish().await.status
    };
    let mut statuses = Vec::new();
    for id in ["a", "a", "b", "a", "b", "b"] {
        statuses.push((id, attempt(id).await.unwrap()));
    }
    assert_eq!(statuses, [("a", 500), ("a", 500), ("b", 500), ("a", 200), ("b", 500), ("b", 200)]);
    assert_eq!(mock.ledger().attempts_by_request_id, [("a".to_owned(), 3), ("b".to_owned(), 3)].into());
}
