//! Calls for clients that left.

use std::time::Duration;

use tokio::task::JoinSet;
use wire::ledger::Ledger;

use super::SYNC;
use crate::support::{EventStream, TestServer, until, vendor};

const GAP: Duration = Duration::from_millis(50);
const TOKENS: u32 = 30;
const THREADS: u64 = 2;
const CLIENTS: u64 = 3 * THREADS;

/// Lets all clients leave at a third of the first streams, some of them without a token yet. Returns the
/// vendor's ledger as it was then, and as it is when all is over.
async fn all_leave(mistake: &str, at_once: u64) -> (Ledger, Ledger) {
    let mock = vendor(TOKENS, GAP, GAP).await;
    let server = TestServer::start(mistake, &mock.url(), &["--blocking-threads", &THREADS.to_string()]);
    let client = server.client();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let chat = client.chat();
        clients.spawn(async move {
            let mut stream = EventStream::new(chat.send().await.unwrap());
            stream.read(TOKENS as usize).await;
        });
    }
    until("the first streams at a third", async || {
        let ledger = mock.ledger();
        ledger.started == at_once && ledger.tokens_sent >= at_once * u64::from(TOKENS) / 3
    })
    .await;
    clients.shutdown().await;
    let left = mock.ledger();

    client.until_metric("llm_disconnects_total", CLIENTS as f64).await;
    // What was in the queue had its turn when this has.
    assert_eq!(client.get(SYNC).await.status(), 200);
    until("the end of all calls", async || mock.ledger().active == 0).await;
    (left, mock.ledger())
}

#[tokio::test]
async fn the_vendor_works_on_for_clients_that_left() {
    let (left, ended) = all_leave("orphaned-streams", THREADS).await;
    assert_eq!((left.started, ended.started), (THREADS, CLIENTS), "calls begun for nobody");
    assert_eq!((ended.completed, ended.cancelled), (CLIENTS, 0));
    assert_eq!(ended.tokens_sent, CLIENTS * u64::from(TOKENS), "every token was sent and paid for");
}

#[tokio::test]
async fn work_that_looks_for_its_client_ends_with_it() {
    // The blocking way begins nothing for those in the queue; the control had all of them at the vendor.
    for (mistake, at_once) in [("pool-exhaustion", THREADS), ("none", CLIENTS)] {
        let (left, ended) = all_leave(mistake, at_once).await;
        assert_eq!(ended.started, left.started, "{mistake}");
        assert_eq!((ended.completed, ended.cancelled), (0, at_once), "{mistake}");
        let late = ended.tokens_sent - left.tokens_sent;
        assert!(late <= at_once * 4, "{mistake}: {late} tokens for nobody");
    }
}
