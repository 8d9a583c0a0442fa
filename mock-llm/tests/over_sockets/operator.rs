//! Which requests may change the running vendor.

use std::time::Duration;

use mock_llm::MockLlm;
use serde_json::json;

use crate::client::{body, post, send};

/// Requests that a page in a browser can send without a preflight, and a page whose name resolves to this machine.
#[tokio::test]
async fn web_pages_cannot_change_the_vendor_but_tools_can() {
    let mock = MockLlm::builder().tokens(1).ttft(Duration::ZERO).fault("drip=1ms").start().await.unwrap();
    post(&mock, &[], &body(true)).await.finish().await;
    let faults = r#"{"faults":["hang"]}"#;
    let calls = [("POST", "/debug/faults", faults), ("POST", "/debug/reset", ""), ("DELETE", "/debug/faults", "")];
    for (method, path, body) in calls {
        for (header, status) in [
            (("host", "evil.example:9000"), 403),
            (("origin", "https://evil.example"), 403),
            (("origin", "null"), 403),
            (("sec-fetch-site", "cross-site"), 403),
            (("content-type", "text/plain"), 415),
        ] {
            let answer = send(&mock, method, path, &[header], body).await.finish().await;
            assert_eq!(answer.status, Some(status), "{method} {path} with {header:?}");
        }
    }
    for content_type in ["application/x-www-form-urlencoded", "text/plain;charset=UTF-8"] {
        let answer = send(&mock, "POST", "/debug/faults", &[("content-type", content_type)], faults).await;
        assert_eq!(answer.finish().await.status, Some(415), "{content_type}");
    }
    assert_eq!(mock.ledger().started, 1, "nothing was reset");
    let in_force = send(&mock, "GET", "/debug/faults", &[], "").await.finish().await.json();
    assert_eq!(in_force, json!({"faults": ["drip=1ms"]}), "nothing was set");

    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (method, path, headers, body) in [
        ("POST", "/debug/reset", &form[..], ""),
        ("POST", "/debug/reset", &[("host", "127.0.0.1:9000")], ""),
        ("POST", "/debug/faults", &[("host", "[::1]:9000"), ("origin", "http://localhost:7000")], faults),
        ("DELETE", "/debug/faults", &form, ""),
    ] {
        assert_eq!(send(&mock, method, path, headers, body).await.finish().await.status, Some(200), "{method} {path}");
    }
    assert_eq!(mock.ledger().started, 0);
}
