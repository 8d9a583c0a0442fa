//! Limits that only streams meet: upstream, at the vendor, and of requests by their rate.

use super::*;

#[test]
fn a_pool_that_no_check_needs_is_told_from_a_limit_upstream_by_its_threads() {
    let upstream = |form, confidence| (UpstreamLimit, Some(form), Some(40), confidence);
    assert_found(Server::held(40, 64), upstream(ClientPool, Medium));
    assert_found(Server::held(40, 64).threads(3, 5), upstream(ClientPool, High));
    assert_found(Server::held(40, 64).threads(3, 44), (ThreadPoolHeld, Some(InnerPool), Some(40), High));
    assert_found(Server::held(40, 64).threads(60, 60), upstream(ClientPool, Medium));
}

#[test]
fn threads_of_requests_that_wait_are_no_threads_of_streams() {
    let upstream = |confidence| (UpstreamLimit, Some(ClientPool), Some(15), confidence);
    // Streams keep connections to a database. Checks wait for one too, each with a thread.
    let database = || Server::held(15, 32).threads(1, 40).threads_with_fewer(8, 4);
    assert_found(database().hanging(&[HEALTH]), upstream(Medium));
    assert_found(database(), upstream(High));
    let threads = database().threads_with_fewer(8, 9).hanging(&[HEALTH]);
    assert_found(threads, (ThreadPoolHeld, Some(InnerPool), Some(15), High));
    // A server with a thread for each request, in front of a full pool of its client.
    assert_found(Server::held(40, 64).threads(3, 67), (UpstreamLimit, Some(ClientPool), Some(40), Medium));
}

#[test]
fn a_stream_that_waited_in_turn_is_one_that_was_not_served() {
    let one_waits = || Server::held(15, 16).threads(1, 4);
    assert_found(one_waits(), (UpstreamLimit, Some(ClientPool), Some(15), High));
    // One that waited at first, while connections were opened, is none.
    let at_first = one_waits().collapse(|collapse| collapse.served = vec![16; 21]);
    assert_eq!(find(&at_first.with(|seen| seen.levels[1].started = 16).0).kind, Inconclusive);
}

#[test]
fn a_limit_that_was_seen_once_is_surer_with_longer_streams_where_they_are_short() {
    let surer = |server: Server| find(&server.0).surer_with.unwrap_or_default();
    let once = || Server::held(15, 32).threads(1, 4).collapse(|collapse| collapse.corner = None);
    let ended = |lasted| once().with(|seen| (seen.idle.ended, seen.idle.lasted) = (true, Duration::from_secs(lasted)));
    assert!(surer(ended(3)).contains("longer streams"), "{}", surer(ended(3)));
    assert!(surer(ended(30)).contains("longer --budget"), "{}", surer(ended(30)));
}

#[test]
fn where_streams_wait_upstream_is_said_by_descriptors() {
    let held = |fds| Server::held(100, 200).threads(3, 5).fds(10, fds, 20_000);
    let found = |form, confidence| (UpstreamLimit, Some(form), Some(100), confidence);
    // A descriptor for each client, and one for each connection to the vendor.
    assert_found(held(10 + 200 + 100), found(ClientPool, High));
    assert_found(held(10 + 200 + 1 + 1), found(Http2Streams, Medium));
    // None but the one that is kept: a limit of its own.
    assert_found(held(10 + 200 + 1), found(ClientPool, High));
    assert_found(held(10 + 200 + 200), found(Vendor, Medium));
    let one_waits = Server::held(3, 4).threads(3, 3).fds(10, 10 + 4 + 4, 20_000);
    assert_eq!(find(&one_waits.0).form, Some(ClientPool));
    // Too few streams wait for this to be clear: each of them may have a connection.
    let few = |connections: u64| Server::held(50, 64).threads(3, 5).fds(10, 10 + 64 + connections, 20_000);
    assert_found(few(50), (UpstreamLimit, Some(ClientPool), Some(50), High));
    assert_found(few(64), (UpstreamLimit, Some(ClientPool), Some(50), Medium));
}

#[test]
fn rejections_at_once_are_the_vendors_or_in_its_place() {
    let rejected = |status: u16, after_ms: f64| {
        Server::held(20, 32).lost(12).collapse(|collapse| {
            collapse.rejected.insert(status, 12);
            collapse.slowest_loss_ms = after_ms;
        })
    };
    let found = |form, confidence| (UpstreamLimit, Some(form), Some(20), confidence);
    assert_found(rejected(429, 30.0), found(Vendor, High));
    assert_found(rejected(503, 30.0), found(Vendor, High));
    // Too few descriptors for connections to the vendor have this status too.
    assert_found(rejected(502, 30.0), found(Vendor, Medium));
    assert_found(rejected(502, 30.0).fds(10, 63, 64), (ConnectionLimit, None, Some(21), High));
    // The time-out of a pool.
    assert_found(rejected(500, 5_000.0).threads(3, 5), found(ClientPool, High));
}

#[test]
fn a_limit_of_requests_is_no_limit_of_the_server() {
    let rejected = || Server::held(20, 32).lost(12).collapse(|collapse| _ = collapse.rejected.insert(429, 12));
    let inconclusive = (Inconclusive, None, None, Low);
    assert_found(rejected().with(|seen| seen.rejected_when_idle = Some(429)), inconclusive);
    // All that are asked for flow, so that more at once are not what was rejected.
    assert_found(rejected().with(|seen| seen.levels[1].streams = 20), inconclusive);
    let corner = Some(Corner { good: 16, bad: 19, waits_with_room: true, ..Corner::default() });
    assert_found(rejected().collapse(|collapse| collapse.corner = corner), inconclusive);
    let Server(waits) = rejected().collapse(|collapse| collapse.corner = corner);
    let said = find(&waits).evidence.join("; ");
    assert!(said.contains("fewer streams than before") && !said.contains("429"), "no 429 was seen after it: {said}");
    assert_found(Server::held(20, 32).threads(3, 5).collapse(|collapse| collapse.corner = corner), inconclusive);
    // A pool whose threads still write streams that were closed has no room either.
    let orphaned = inner_pool().threads(3, 43).collapse(|collapse| collapse.corner = corner);
    assert_found(orphaned, (ThreadPoolHeld, Some(InnerPool), Some(40), High));
    let once = Server::held(20, 32).threads(3, 5).collapse(|collapse| collapse.corner = None);
    assert_found(once, (UpstreamLimit, Some(ClientPool), Some(20), Medium));
}
