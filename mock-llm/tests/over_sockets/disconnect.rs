//! Clients that disconnect or do not read, and a vendor that is dropped.

use std::time::Duration;

use mock_llm::{MockLlm, text};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{Call, End, TIMEOUT, body, post, until};

const NEVER: Duration = Duration::from_secs(3_600);

/// Disconnects with a FIN or a RST.
fn disconnect(call: Call, reset: bool) {
    if reset {
        call.socket().set_zero_linger().unwrap();
    }
    drop(call);
}

#[tokio::test]
async fn a_disconnect_ends_a_waiting_generation_at_once() {
    for reset in [false, true] {
        for (case, ttft, stream) in
            [("before the first token", NEVER, true), ("between two", Duration::ZERO, true), ("whole", NEVER, false)]
        {
            let mock = MockLlm::builder().ttft(ttft).inter_token(NEVER).start().await.unwrap();
            let call = post(&mock, &[], &body(stream)).await;
            until(&mock, |ledger| ledger.active == 1 && (ttft == NEVER || ledger.tokens_sent == 1)).await;
            disconnect(call, reset);
            // The next token is due in an hour: the disconnect was noticed without writing one.
            let ledger = until(&mock, |ledger| ledger.active == 0).await;
            assert_eq!((ledger.cancelled, ledger.completed), (1, 0), "{case}");
            assert_eq!(ledger.tokens_after_disconnect, 0, "{case}");
        }
    }
}

#[tokio::test]
async fn a_disconnect_in_the_middle_of_a_request_starts_nothing() {
    let mock = MockLlm::builder().start().await.unwrap();
    let mut socket = TcpStream::connect(mock.addr()).await.unwrap();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    socket.write_all(format!("{head}content-length: 100\r\n\r\n{{").as_bytes()).await.unwrap();
    until(&mock, |ledger| ledger.connections_opened == 1).await;
    drop(socket);
    let ledger = until(&mock, |ledger| ledger.unanswered == 1).await;
    assert!(ledger.requests_by_status.is_empty(), "no request was answered: {ledger:?}");
    let seen = post(&mock, &[("x-mock-tokens", "1")], &body(true)).await.finish().await;
    assert_eq!((seen.status, mock.ledger().started), (Some(200), 1));
}

#[tokio::test]
async fn a_client_that_does_not_read_pauses_the_generation() {
    // More than the buffers between client and vendor hold.
    const TOKENS: u32 = 100_000;
    let mock = MockLlm::builder().tokens(TOKENS).ttft(Duration::ZERO).inter_token(Duration::ZERO);
    let mock = mock.start().await.unwrap();
    let call = post(&mock, &[], &body(true)).await;

    let mut sent = 0;
    let paused = loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let ledger = mock.ledger();
        if ledger.tokens_sent == sent && sent > 0 {
            break ledger;
        }
        sent = ledger.tokens_sent;
    };
    assert_eq!(paused.active, 1);
    assert!(paused.tokens_sent < u64::from(TOKENS), "the buffers are bounded");

    let seen = call.finish_large().await;
    assert_eq!(seen.end, End::Whole);
    assert!(seen.is_done());
    assert_eq!(seen.text(), text::answer(1, TOKENS));
    assert_eq!(until(&mock, |ledger| ledger.active == 0).await.completed, 1);
}

#[tokio::test]
async fn a_dropped_vendor_closes_its_port_and_connections() {
    for stop in [false, true] {
        let mock = MockLlm::builder().ttft(NEVER).start().await.unwrap();
        let addr = mock.addr();
        let mut socket = post(&mock, &[], &body(true)).await.into_socket();
        until(&mock, |ledger| ledger.active == 1).await;
        if stop {
            mock.stop().await
        } else {
            drop(mock)
        }
        let mut rest = Vec::new();
        let end = tokio::time::timeout(TIMEOUT, socket.read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "the connection was not closed");
        assert!(TcpStream::connect(addr).await.is_err(), "the port is still open");
    }
}
