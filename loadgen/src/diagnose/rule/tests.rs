//! The signatures of all kinds, those that look alike, and what holds for anything that may be seen.

mod properties;
mod server;

use super::find;
use crate::diagnose::seen::{
    ASYNC_HEALTH, Collapse, Corner, CutShort, HEALTH, KEPT_CONNECTION, ProcessSeen, Seen, Stall, UNKNOWN_PATH,
};
use crate::result::DiagnosisForm::{
    ClientPool, Collected, Compressed, GrowingPool, Http2Streams, InnerPool, ProxyBuffers, Vendor, WorkerPerRequest,
};
use crate::result::DiagnosisKind::{
    ConnectionLimit, Cpu, EventLoopBlocked, Inconclusive, NoneFound, NotStreaming, ThreadPoolHeld, ThreadPoolPerChunk,
    UpstreamLimit,
};
use crate::result::{Confidence, DiagnosisForm, DiagnosisKind};
use server::Server;
use std::time::Duration;

use Confidence::{High, Low, Medium};

type Expected = (DiagnosisKind, Option<DiagnosisForm>, Option<u64>, Confidence);

#[track_caller]
fn assert_found(server: Server, expected: Expected) {
    let found = find(&server.0);
    assert_eq!((found.kind, found.form, found.limit, found.confidence), expected, "{found:?}");
    assert_eq!(found.surer_with.is_some(), found.confidence < High, "what would make it surer: {found:?}");
}

/// 40 of 64 streams flow, and the health check hangs with the others.
fn inner_pool() -> Server {
    Server::held(40, 64).hanging(&[HEALTH])
}

#[test]
fn a_pool_behind_the_event_loop_is_sure_by_its_threads() {
    let pool = |confidence| (ThreadPoolHeld, Some(InnerPool), Some(40), confidence);
    assert_found(inner_pool().threads(3, 43), pool(High));
    // A health check that waits for a full pool of connections to a database looks the same.
    assert_found(inner_pool(), pool(Medium));
    assert_found(inner_pool().threads(60, 60), pool(Medium));
    assert_found(inner_pool().threads(3, 5), (UpstreamLimit, Some(ClientPool), Some(40), Medium));
    // The figures of a process that is another one do not decide.
    assert_found(inner_pool().threads(3, 5).with(|seen| seen.idle_process.listens = Some(false)), pool(Medium));
    // An asynchronous check that hangs as well: the path that does not exist is not enough.
    assert_found(inner_pool().threads(3, 43).hanging(&[HEALTH, ASYNC_HEALTH]), pool(Medium));
}

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
}

#[test]
fn a_thread_until_a_stream_begins_is_known_by_the_number_of_threads() {
    let pool = |limit| (ThreadPoolHeld, Some(InnerPool), limit, Medium);
    let held = || Server::held(120, 256).hanging(&[HEALTH]);
    let uneven = || held().collapse(|collapse| collapse.served = (60..81).collect());
    assert_found(uneven().threads(1, 41), pool(Some(40)));
    assert_found(uneven(), pool(None));
    assert_found(held().threads(1, 41).threads_with_fewer(16, 17), pool(Some(40)));
    // Checks that are slow for a moment, streams that are slow, an event loop that is busy: it may be anything.
    let inconclusive = (Inconclusive, None, None, Low);
    assert_found(uneven().late(&[HEALTH], 300.0), inconclusive);
    assert_found(uneven().with(|seen| seen.levels[1].pace = Some(1.0)), inconclusive);
    assert_found(uneven().late(&[UNKNOWN_PATH], 300.0), inconclusive);
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
fn where_streams_wait_upstream_is_said_by_descriptors() {
    let held = |fds| Server::held(100, 200).threads(3, 5).fds(10, fds, 20_000);
    let found = |form, confidence| (UpstreamLimit, Some(form), Some(100), confidence);
    // A descriptor for each client, and one for each connection to the vendor.
    assert_found(held(10 + 200 + 100), found(ClientPool, High));
    assert_found(held(10 + 200 + 1), found(Http2Streams, Medium));
    assert_found(held(10 + 200 + 200), found(Vendor, Medium));
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
    let corner = Some(Corner { good: 16, bad: 19, waits_with_room: true, ..Corner::default() });
    assert_found(rejected().collapse(|collapse| collapse.corner = corner), inconclusive);
    assert_found(Server::held(20, 32).threads(3, 5).collapse(|collapse| collapse.corner = corner), inconclusive);
    // A pool whose threads still write streams that were closed has no room either.
    let orphaned = inner_pool().threads(3, 43).collapse(|collapse| collapse.corner = corner);
    assert_found(orphaned, (ThreadPoolHeld, Some(InnerPool), Some(40), High));
    let once = Server::held(20, 32).threads(3, 5).collapse(|collapse| collapse.corner = None);
    assert_found(once, (UpstreamLimit, Some(ClientPool), Some(20), Medium));
}

#[test]
fn workers_and_blocked_loops_are_told_apart_by_threads_names_and_parts() {
    let all = &[HEALTH, UNKNOWN_PATH, KEPT_CONNECTION];
    let held = |streams| Server::held(streams, streams + 8).hanging(all);
    let worker = |streams, confidence| (ThreadPoolHeld, Some(WorkerPerRequest), Some(streams), confidence);
    let event_loop = |streams, confidence| (EventLoopBlocked, None, Some(streams), confidence);
    assert_found(held(4), worker(4, Medium));
    assert_found(held(4).threads(2, 6), worker(4, High));
    assert_found(held(4).header("server", "waitress"), worker(4, High));
    assert_found(held(1), event_loop(1, Medium));
    assert_found(held(1).header("server", "gunicorn"), worker(1, High));
    assert_found(held(1).header("server", "uvicorn"), event_loop(1, High));
    // Processes with several threads have a queue each: a part of the requests waits there too.
    let processes = || held(8).header("server", "gunicorn").partly_before(UNKNOWN_PATH);
    assert_found(processes().threads(2, 12), worker(8, High));
    assert_found(processes().threads(10, 12), worker(8, Medium));
    assert_found(held(1).with(|seen| seen.keeps_connections = false), worker(1, Medium));
    // With fewer streams, a part of the requests had no answer: connections belong to one loop each.
    assert_found(held(3).partly_before(UNKNOWN_PATH), event_loop(3, High));
    // The connection that was kept hangs while new ones are fast: its loop is blocked.
    assert_found(
        held(3).before(KEPT_CONNECTION, |probe| (probe.sent, probe.timed_out, probe.answered) = (4, 4, 0)),
        event_loop(3, High),
    );
}

#[test]
fn a_limit_on_connections_leaves_the_kept_one_working() {
    let held = || Server::held(19, 32).hanging(&[HEALTH, UNKNOWN_PATH]);
    let limit = |confidence| (ConnectionLimit, None, Some(20), confidence);
    // A thread for each connection looks the same, but for its threads.
    assert_found(held(), limit(Medium));
    assert_found(held().threads(4, 6), limit(High));
    assert_found(held().threads(4, 24), (ThreadPoolHeld, Some(WorkerPerRequest), Some(19), High));
    assert_found(held().fds(9, 63, 64), limit(High));
    // Where no connection is kept, the last probe says nothing more than the others.
    let not_kept = held().with(|seen| seen.keeps_connections = false);
    assert_found(not_kept, (ThreadPoolHeld, Some(WorkerPerRequest), Some(19), Medium));
}

#[test]
fn a_pool_that_grows_rises_steadily_while_none_ends() {
    let rises = |served: Vec<u64>| {
        Server::held(8, 64).hanging(&[HEALTH]).collapse(|collapse| {
            (collapse.begun, collapse.corner) = (5, None);
            collapse.served = served.clone();
        })
    };
    let steadily = rises((0..21).map(|look| 8 + look / 4).collect());
    assert_found(steadily.clone().threads(12, 25), (ThreadPoolHeld, Some(GrowingPool), Some(8), High));
    assert_found(steadily.clone(), (ThreadPoolHeld, Some(GrowingPool), Some(8), Medium));
    // Until all flow, where it is in front of all routes too.
    let all = rises((0..21).map(|look| (8 + look / 4).min(11)).collect()).hanging(&[HEALTH, UNKNOWN_PATH]);
    let all = all.with(|seen| (seen.levels[1].streams, seen.levels[1].started, seen.levels[1].waiting) = (11, 11, 0));
    assert_found(all.threads(2, 15), (ThreadPoolHeld, Some(GrowingPool), Some(8), High));
    // A limit of requests a second lets streams begin as steadily, but no health check waits for it.
    assert_found(steadily.fast(&[HEALTH]), (Inconclusive, None, None, Low));
    // One step is no growth: requests that hold a thread for a part of their time look like this.
    let step = rises((0..21).map(|look| if look < 10 { 8 } else { 14 }).collect());
    assert_found(step.clone(), (ThreadPoolHeld, Some(InnerPool), None, Medium));
    assert_found(step.fast(&[HEALTH]), (Inconclusive, None, None, Low));
}

#[test]
fn a_thread_for_each_chunk_slows_all_streams_to_the_pace_of_the_pool() {
    let slowed = || Server::slowed(64, 40.0).late(&[HEALTH], 150.0);
    let pool = |limit, confidence| (ThreadPoolPerChunk, None, Some(limit), confidence);
    assert_found(slowed().cpu(0.1), pool(40, High));
    assert_found(slowed(), pool(40, Medium));
    assert_found(slowed().with(|seen| seen.levels[1].machine_cores = Some(0.1)), pool(40, High));
    assert_found(slowed().cpu(1.4), pool(40, Low));
    // Chunks that wait in a buffer meanwhile need no turn: then the corner is where checks begin to wait.
    let corner = Corner { good: 39, bad: 40, all_flowed: true, ..Corner::default() };
    let unslowed = Server::slowed(64, 64.0).late(&[HEALTH], 60.0).cpu(0.1);
    assert_found(unslowed.clone().collapse(|collapse| collapse.corner = Some(corner)), pool(40, High));
    let without = unslowed.collapse(|collapse| collapse.corner = None);
    assert_found(without, (ThreadPoolPerChunk, None, None, Medium));
}

#[test]
fn what_is_busy_and_what_waits_are_told_apart_by_the_processor() {
    let all = &[HEALTH, UNKNOWN_PATH, KEPT_CONNECTION];
    let slowed = |at_once| Server::slowed(64, at_once).late(all, 900.0);
    assert_found(slowed(20.0).cpu(1.0), (Cpu, None, Some(20), High));
    assert_found(slowed(20.0).cpu(0.1), (EventLoopBlocked, None, Some(20), High));
    assert_found(slowed(20.0), (Inconclusive, None, None, Low));
    assert_found(slowed(1.0), (EventLoopBlocked, None, Some(1), Medium));
    // Streams alone: whatever is slow is behind the server.
    assert_found(Server::slowed(64, 20.0), (UpstreamLimit, Some(Vendor), Some(20), Low));
}

#[test]
fn a_pool_that_is_just_full_lets_all_streams_flow() {
    let full = || Server::held(40, 40).hanging(&[HEALTH]);
    assert_found(full(), (ThreadPoolHeld, Some(InnerPool), Some(40), Medium));
    assert_found(full().threads(3, 44), (ThreadPoolHeld, Some(InnerPool), Some(40), High));
    let all = Server::held(4, 4).hanging(&[HEALTH, UNKNOWN_PATH, KEPT_CONNECTION]);
    assert_found(all.threads(2, 6), (ThreadPoolHeld, Some(WorkerPerRequest), Some(4), High));
}

#[test]
fn the_corner_is_the_limit_where_it_fits_what_flows_with_more_streams() {
    let with = |good: u64, bad: u64, all_flowed: bool| {
        let corner = Corner { good, bad, all_flowed, ..Corner::default() };
        inner_pool().threads(3, 43).collapse(|collapse| collapse.corner = Some(corner))
    };
    let limit = |limit| (ThreadPoolHeld, Some(InnerPool), Some(limit), High);
    assert_found(with(40, 41, false), limit(40));
    assert_found(with(40, 41, true), limit(41));
    assert_found(with(33, 34, true), limit(40));
    assert_found(with(36, 60, true), limit(40));
    // Never fewer than have flowed at once.
    let flowed = Server::held(40, 64).hanging(&[HEALTH]).threads(3, 43).with(|seen| {
        (seen.levels[0].streams, seen.levels[0].started) = (42, 42);
    });
    assert_found(flowed, limit(42));
}

#[test]
fn a_server_that_stands_still_now_and_then_blocks_its_event_loop_whatever_the_load() {
    let stalls = |count: usize| {
        Server::unlimited().with(|seen| {
            seen.stalls = vec![Stall { streams: 4, length: Duration::from_secs(2) }; count];
        })
    };
    let found = |confidence| (EventLoopBlocked, None, None, confidence);
    assert_found(stalls(2).cpu(0.1), found(High));
    assert_found(stalls(2), found(Medium));
    assert_found(stalls(1), found(Low));
    assert_found(stalls(0), (NoneFound, None, None, High));
    // One of them while it was watched is no limit of that number of streams.
    let watched = Server::held(16, 16).late(&[HEALTH, UNKNOWN_PATH], 5.0).with(|seen| {
        seen.stalls = vec![Stall { streams: 4, length: Duration::from_secs(2) }; 2];
    });
    assert_found(watched.cpu(0.1), found(High));
}

#[test]
fn what_is_not_the_servers_is_no_finding_about_it() {
    let inconclusive = (Inconclusive, None, None, Low);
    for cut_short in
        [CutShort::ServerGone, CutShort::ServerGoneBehindProxy, CutShort::OwnLimit, CutShort::RequestsUsedUp]
    {
        assert_found(inner_pool().threads(3, 43).with(|seen| seen.cut_short = Some(cut_short)), inconclusive);
    }
    assert_found(Server::unlimited().with(|seen| seen.cut_short = Some(CutShort::TimeOver)), inconclusive);
    let late = inner_pool().threads(3, 43).with(|seen| seen.levels[1].generator_lag_ms = Some(400.0));
    assert_found(late, inconclusive);
    let gone = inner_pool().failing(&[HEALTH, UNKNOWN_PATH, KEPT_CONNECTION]);
    assert_found(gone, inconclusive);
}

#[test]
fn an_answer_that_does_not_stream_is_told_by_its_headers() {
    let at_once = || Server::idle(&[5_000, 5_001, 5_002]);
    let found = |form, confidence| (NotStreaming, form, None, confidence);
    assert_found(at_once().header("content-type", "text/event-stream"), found(Some(Collected), High));
    assert_found(at_once().header("content-type", "application/json"), found(Some(Collected), Medium));
    assert_found(at_once().header("server", "nginx/1.24"), found(Some(ProxyBuffers), Medium));
    assert_found(at_once().header("via", "1.1 proxy"), found(Some(ProxyBuffers), Medium));
    let compressed = at_once().header("content-encoding", "gzip").0.idle;
    let streams = Server::idle(&[200, 400, 600, 800]);
    let both = streams.with(|seen| seen.idle.other_encoding = Some(Box::new(compressed.clone())));
    assert_found(both, found(Some(Compressed), High));
    let whole = Server::idle(&[20]).with(|seen| {
        seen.idle.ended = true;
        seen.idle.took = Duration::from_millis(20);
    });
    assert_found(whole, found(None, Medium));
}
