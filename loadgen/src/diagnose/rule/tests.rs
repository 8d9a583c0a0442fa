//! The signatures of all kinds, those that look alike, and what holds for anything that may be seen.

mod flowing;
mod properties;
mod server;
mod upstream;

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
use crate::result::{Confidence, DiagnosisForm, DiagnosisKind, DiagnosisLevel};
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
fn workers_and_blocked_loops_are_told_apart_by_threads_names_and_parts() {
    let all = &[HEALTH, UNKNOWN_PATH, KEPT_CONNECTION];
    let held = |streams| Server::held(streams, streams + 8).hanging(all);
    let worker = |streams, confidence| (ThreadPoolHeld, Some(WorkerPerRequest), Some(streams), confidence);
    let event_loop = |streams, confidence| (EventLoopBlocked, None, Some(streams), confidence);
    assert_found(held(4), worker(4, Medium));
    assert_found(held(4).threads(2, 6), worker(4, High));
    assert_found(held(4).header("server", "waitress"), worker(4, High));
    assert_found(held(1), event_loop(1, Medium));
    // A blocking call on the event loop: the two threads are those of checks.
    assert_found(held(1).threads(7, 9), event_loop(1, Medium));
    assert_found(held(2).threads(1, 3), worker(2, Medium));
    // One stream keeps the server busy, and nothing was ever as when idle.
    let busy = held(1).threads(1, 1).cpu(0.95).with(|seen| {
        seen.levels.remove(0);
        seen.collapse.iter_mut().for_each(|collapse| (collapse.level, collapse.first_bad) = (0, 0));
    });
    assert_found(busy, (Cpu, None, Some(1), Medium));
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
    // Threads that were there before may be one for each connection, too.
    assert_found(held().threads(24, 24), limit(Medium));
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
    // Checks that waited with 8 streams as well, where 16 are served by now.
    let outgrown = Server::held(16, 16).late(&[HEALTH, UNKNOWN_PATH], 1_500.0).with(|seen| {
        let mut full = seen.levels[1].clone();
        (full.streams, full.started) = (8, 8);
        seen.levels.insert(1, full);
        seen.collapse.iter_mut().for_each(|collapse| (collapse.level, collapse.corner) = (2, None));
    });
    assert_eq!(find(&outgrown.0).form, Some(GrowingPool));
    assert_eq!(find(&outgrown.0).confidence, Medium);
    let pools = outgrown.clone().with(|seen| (seen.levels[2].streams, seen.levels[2].waiting) = (32, 16));
    assert_ne!(find(&pools.0).form, Some(GrowingPool), "streams wait, and no more begin: one pool after another");
    let loops = outgrown.partly_before(UNKNOWN_PATH).hanging(&[HEALTH, UNKNOWN_PATH]);
    assert_ne!(find(&loops.0).form, Some(GrowingPool), "one event loop after another is blocked");
    // A limit of requests a second lets streams begin as steadily, but no health check waits for it.
    assert_found(steadily.fast(&[HEALTH]), (Inconclusive, None, None, Low));
    // One step is no growth: requests that hold a thread for a part of their time look like this.
    let step = rises((0..21).map(|look| if look < 10 { 8 } else { 14 }).collect());
    assert_found(step.clone(), (ThreadPoolHeld, Some(InnerPool), None, Medium));
    assert_found(step.fast(&[HEALTH]), (Inconclusive, None, None, Low));
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
    // At the corner checks alone were late, and then one more flowed.
    assert_found(with(38, 39, true), limit(40));
    assert_found(with(39, 40, false), limit(39));
    // There were streams left over that had been closed before: only 12 flowed.
    let left_over = with(39, 40, false).with(|seen| {
        let at_corner = DiagnosisLevel { streams: 40, started: 12, waiting: 28, ..seen.levels[1].clone() };
        seen.levels.push(at_corner);
    });
    assert_found(left_over, limit(40));
    assert_found(with(36, 60, true), limit(40));
    // Never fewer than have flowed at once.
    let flowed = Server::held(40, 64).hanging(&[HEALTH]).threads(3, 43).with(|seen| {
        (seen.levels[0].streams, seen.levels[0].started) = (42, 42);
    });
    assert_found(flowed, limit(42));
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
    // Far less than what hangs was late: only the latencies in between are in doubt.
    let lagged = |server: Server| server.threads(3, 43).with(|seen| seen.levels[1].generator_lag_ms = Some(90.0));
    assert_found(lagged(inner_pool()), (ThreadPoolHeld, Some(InnerPool), Some(40), Medium));
    assert_found(lagged(inner_pool().late(&[UNKNOWN_PATH], 110.0)), inconclusive);
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

#[test]
fn an_answer_that_has_begun_and_not_ended_is_not_said_to_be_collected() {
    let watched_for = |chunks: &[u64], seconds| {
        let server = Server::idle(chunks).header("content-type", "text/event-stream");
        server.with(|seen| seen.idle.took = Duration::from_secs(seconds))
    };
    let inconclusive = (Inconclusive, None, None, Low);
    assert_found(watched_for(&[200], 9), inconclusive);
    assert_found(watched_for(&[200, 201, 202], 9), inconclusive);
    let found = find(&watched_for(&[200], 9).0);
    assert_eq!(found.evidence, ["the answer began, but nothing more of it came from 200 ms to 9 s after the request"]);
    assert_found(
        watched_for(&[200], 9).with(|seen| seen.idle.ended = true),
        (NotStreaming, Some(Collected), None, High),
    );
    // A piece that came late may be one of several.
    let late = watched_for(&[5_000], 9);
    assert_found(late.clone(), (NotStreaming, Some(Collected), None, Medium));
    assert_eq!(find(&late.0).evidence[0], "one piece came after 5 s, and nothing more within 9 s");
}

#[test]
fn a_compressed_answer_that_has_only_begun_is_less_sure_to_be_held_back() {
    let begun = |ended| {
        let mut compressed = Server::idle(&[300]).header("content-encoding", "gzip").0.idle;
        (compressed.ended, compressed.took) = (ended, Duration::from_secs(3));
        Server::idle(&[300, 2_900, 5_500]).with(|seen| seen.idle.other_encoding = Some(Box::new(compressed)))
    };
    assert_found(begun(true), (NotStreaming, Some(Compressed), None, High));
    assert_found(begun(false), (NotStreaming, Some(Compressed), None, Medium));
}

#[test]
fn a_name_does_not_outweigh_threads_and_a_processor_that_are_seen() {
    let all = &[HEALTH, UNKNOWN_PATH, KEPT_CONNECTION];
    let named = |streams| Server::held(streams, streams + 8).hanging(all).header("server", "uvicorn");
    let event_loop = |streams, confidence| (EventLoopBlocked, None, Some(streams), confidence);
    assert_found(named(4).threads(2, 3), event_loop(4, High));
    assert_found(named(4).threads(2, 6), event_loop(4, Medium));
    assert_found(named(4).cpu(1.0), event_loop(4, Medium));
    // A kept connection that is fast may be one of a loop that is free while others are blocked.
    let connections = Server::held(19, 32).hanging(&[HEALTH, UNKNOWN_PATH]).threads(4, 6);
    assert_found(connections.partly_before(UNKNOWN_PATH), (ConnectionLimit, None, Some(20), Medium));
}
