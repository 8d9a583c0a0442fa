//! Only callers on this machine, and what every answer tells the browser.

use serde_json::Value;

use crate::page::Playground;
use crate::test_programs::TestPrograms;

/// Every route. Those that would change something are never reached with a foreign name.
const ROUTES: [(&str, &str); 15] = [
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/api/catalogue"),
    ("GET", "/api/events"),
    ("GET", "/api/code/pool-exhaustion"),
    ("POST", "/api/start"),
    ("POST", "/api/stop"),
    ("POST", "/api/mistake"),
    ("POST", "/api/streams"),
    ("POST", "/api/arms/broken/start"),
    ("POST", "/api/arms/broken/stop"),
    ("POST", "/api/singles"),
    ("POST", "/api/check"),
    ("GET", "/no-such-route"),
    ("DELETE", "/api/start"),
];

/// Headers of requests that are not this machine's user's.
const FOREIGN: [&[(&str, &str)]; 6] = [
    &[("host", "evil.example")],
    &[("host", "127.0.0.1.evil.example:7000")],
    &[("origin", "https://evil.example")],
    &[("origin", "null")],
    &[("sec-fetch-site", "cross-site")],
    &[("host", "evil.example"), ("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")],
];

const SECURITY: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-store"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
];

#[tokio::test(flavor = "multi_thread")]
async fn foreign_names_are_refused_on_every_route() {
    let programs = TestPrograms::beside_others("guarded");
    let playground = Playground::start(&programs, None).await;
    for (method, path) in ROUTES {
        for foreign in FOREIGN {
            let mut request = playground.request(method, path).header("content-type", "application/json").body("{}");
            for (name, value) in foreign {
                request = request.header(*name, *value);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 403, "{method} {path} with {foreign:?}");
            let body = response.bytes().await.unwrap();
            if method != "HEAD" {
                let body: Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(body["error"]["code"], "not_local", "{method} {path} with {foreign:?}");
            }
        }
    }
    let (_, first) = playground.page().await.next().await.unwrap();
    assert_eq!((&first["running"], &first["starting"]), (&Value::from(false), &Value::from(false)), "{first}");
    assert!(programs.running().is_empty(), "a foreign request has started something");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_keeps_other_pages_out_and_nothing_is_cached() {
    let programs = TestPrograms::beside_others("headers");
    let playground = Playground::start(&programs, None).await;
    for (method, path) in ROUTES {
        let origin = playground.url.clone();
        let request =
            playground.request(method, path).header("origin", &origin).header("sec-fetch-site", "same-origin");
        // Without a field no command does anything.
        let mut request = request.header("content-type", "application/json");
        if ["/api/stop", "/api/arms/broken/start", "/api/arms/broken/stop"].contains(&path) {
            request = request.body("[]");
        }
        let response = request.send().await.unwrap();
        assert_ne!(response.status(), 403, "{method} {path} from the page itself");
        for (name, value) in SECURITY {
            assert_eq!(response.headers().get(name).unwrap(), value, "{name} of {method} {path}");
        }
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(response.headers().get("access-control-allow-origin").is_none(), "{method} {path}");
    }
}
