//! The layer holds answers, and changes nothing in them.

use std::io::Read;
use std::time::Duration;

use flate2::read::GzDecoder;
use reqwest::RequestBuilder;

use crate::support::{Client, TestServer, vendor};

const TOKENS: u32 = 20;
const AT_ONCE: Duration = Duration::ZERO;

/// The encoding of an answer, and its text.
async fn answer(request: RequestBuilder) -> (Option<String>, String) {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let encoding = response.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
    let body = response.bytes().await.unwrap();
    let mut text = String::new();
    match encoding {
        Some(_) => GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap(),
        None => (&body[..]).read_to_string(&mut text).unwrap(),
    };
    (encoding, text)
}

#[tokio::test]
async fn every_client_gets_the_whole_answer_in_its_encoding() {
    let mock = vendor(TOKENS, AT_ONCE, AT_ONCE).await;
    let control = TestServer::start("none", &mock.url(), &[]);
    let (_, expected) = answer(control.client().chat()).await;
    let gzip = |client: &Client, accepted| client.chat().header("accept-encoding", accepted);
    let compressing = TestServer::start("buffered-stream", &mock.url(), &[]);
    let logging = TestServer::start("buffered-stream", &mock.url(), &["--layer", "log"]);
    for (server, accepted, encoding) in [
        (&compressing, "gzip, deflate, br", Some("gzip")),
        (&compressing, "gzip;q=0", None),
        (&compressing, "identity", None),
        (&logging, "gzip", None),
    ] {
        let (found, text) = answer(gzip(&server.client(), accepted)).await;
        assert_eq!((found.as_deref(), text.as_str()), (encoding, expected.as_str()), "{accepted}");
    }
}
