//! CORS.

use mock_llm::MockLlm;
use reqwest::header::HeaderMap;
use reqwest::{Method, Response};

use crate::server::{STREAM, Server};

const PAGE: &str = "https://app.example";

/// A browser's preflight request.
async fn preflight(server: &Server, path: &str, origin: &str) -> Response {
    let client = gateway::http_client().build().unwrap();
    let asking = client.request(Method::OPTIONS, format!("http://{}{path}", server.addr)).header("origin", origin);
    let asking = asking.header("access-control-request-method", "POST");
    asking.header("access-control-request-headers", "authorization,content-type,x-session-id").send().await.unwrap()
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn only_pages_of_a_listed_origin_may_call() {
    let mock = MockLlm::builder().tokens(1).ttft(std::time::Duration::ZERO).start().await.unwrap();
    let server = Server::start(&mock.url(), &["--cors-origin", "http://other.example", "--cors-origin", PAGE]).await;
    for path in [STREAM, "/v1/chat/completions", "/v1/models"] {
        let asked = preflight(&server, path, PAGE).await;
        assert!(asked.status().is_success(), "{path}: {}", asked.status());
        let headers = asked.headers();
        assert_eq!(header(headers, "access-control-allow-origin"), Some(PAGE), "{path}");
        assert!(header(headers, "access-control-allow-methods").unwrap().contains("POST"), "{path}");
        assert!(header(headers, "access-control-allow-headers").unwrap().contains("authorization"), "{path}");
        let refused = preflight(&server, path, "https://evil.example").await;
        assert_eq!(header(refused.headers(), "access-control-allow-origin"), None, "{path}");
    }
    // A page must be able to read errors too.
    for (path, key, status) in [(STREAM, "demo-key", 200), ("/v1/chat/completions", "wrong", 401), ("/nope", "", 404)] {
        let answer = server.post_as(path, key).header("origin", PAGE).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(header(answer.headers(), "access-control-allow-origin"), Some(PAGE), "{path}");
        assert!(header(answer.headers(), "access-control-expose-headers").unwrap().contains("x-request-id"), "{path}");
    }
}

#[tokio::test]
async fn all_may_call_or_none() {
    let mock = MockLlm::builder().start().await.unwrap();
    let open = Server::start(&mock.url(), &["--cors-origin", "*"]).await;
    assert_eq!(header(preflight(&open, STREAM, PAGE).await.headers(), "access-control-allow-origin"), Some("*"));
    let closed = Server::start(&mock.url(), &[]).await;
    let refused = preflight(&closed, STREAM, PAGE).await;
    assert_eq!((refused.status().as_u16(), header(refused.headers(), "access-control-allow-origin")), (405, None));
}
