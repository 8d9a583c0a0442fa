//! The number of threads.

use crate::support::TestServer;

#[tokio::test]
async fn the_pool_has_160_threads_unless_the_flag_says_otherwise() {
    for (mistake, flags, threads) in [
        ("more-threads", &[][..], 160.0),
        ("more-threads", &["--blocking-threads", "512"], 512.0),
        ("more-threads", &["--blocking-threads", "40"], 40.0),
        ("pool-exhaustion", &[], 40.0),
        ("none", &[], 40.0),
    ] {
        let server = TestServer::start(mistake, "http://127.0.0.1:1", flags);
        assert_eq!(server.client().metric("blocking_pool_size").await, threads, "{mistake} {flags:?}");
    }
}
