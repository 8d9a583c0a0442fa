//! What is recorded although the record comes after the call: all ends that the server itself brings about, once each.

use std::time::Duration;

use crate::support::{TestServer, vendor};

#[tokio::test]
async fn every_end_but_a_disconnect_is_recorded_once() {
    let mock = vendor(5, Duration::ZERO, Duration::ZERO).await;
    let server = TestServer::start("lost-cleanup", &mock.url(), &["--attempts", "1"]);
    let client = server.client();
    for (fault, whole, streamed) in [
        (None, "success", "success"),
        (Some("status=503"), "upstream_failure", "upstream_failure"),
        (Some("status=400"), "upstream_rejected", "upstream_rejected"),
        (Some("close-after=2"), "upstream_failure", "stream_error"),
    ] {
        for (request, outcome) in [(client.whole(), whole), (client.summary(), whole), (client.chat(), streamed)] {
            let before = client.outcomes(outcome).await;
            let request = match fault {
                Some(fault) => request.header("x-mock-fault", fault),
                None => request,
            };
            request.send().await.unwrap().text().await.unwrap();
            let counted = format!("llm_outcomes_total{{outcome=\"{outcome}\"}}");
            client.until_metric(&counted, before + 1.0).await;
        }
    }
    assert_eq!(client.metric("llm_calls_total").await, 12.0);
    let mut ended = 0.0;
    for outcome in ["success", "upstream_failure", "upstream_rejected", "stream_error"] {
        ended += client.outcomes(outcome).await;
    }
    assert_eq!(ended, 12.0);
}
