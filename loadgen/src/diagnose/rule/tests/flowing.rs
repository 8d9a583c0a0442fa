//! Limits at which all streams flow: threads for each chunk, the processor, what blocks for a moment, and a pool that is
//! just full.

use super::*;

#[test]
fn a_thread_for_each_chunk_slows_all_streams_to_the_pace_of_the_pool() {
    let slowed = || Server::slowed(64, 40.0).late(&[HEALTH], 150.0);
    let pool = |limit, confidence| (ThreadPoolPerChunk, None, Some(limit), confidence);
    assert_found(slowed().threads(3, 44).cpu(0.1), pool(40, High));
    // Connections to a database that each chunk and the health check need look the same, but for the threads.
    assert_found(slowed().threads(3, 4).cpu(0.1), pool(40, Medium));
    // A thread for each stream, and a lock, do too.
    assert_found(slowed().threads(3, 68).cpu(0.1), pool(40, Low));
    assert_found(slowed().cpu(0.1), pool(40, Medium));
    assert_found(slowed(), pool(40, Medium));
    assert_found(slowed().with(|seen| seen.levels[1].machine_cores = Some(0.1)), pool(40, Medium));
    assert_found(slowed().threads(3, 44).cpu(1.4), pool(40, Low));
    // Chunks that wait in a buffer meanwhile need no turn: then the corner is where checks begin to wait.
    let corner = Corner { good: 39, bad: 40, all_flowed: true, ..Corner::default() };
    let unslowed = Server::slowed(64, 64.0).late(&[HEALTH], 60.0).threads(3, 44).cpu(0.1);
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
    // One of several processes may be busy, or a quota used up.
    assert_found(slowed(20.0).cpu(0.6), (EventLoopBlocked, None, Some(20), Medium));
    let machine = |cores| {
        slowed(20.0).with(|seen| {
            (seen.idle_process.machine_cores, seen.levels[1].machine_cores) = (Some(0.1), Some(cores));
        })
    };
    assert_found(machine(1.0), (Cpu, None, Some(20), Medium));
    assert_found(machine(0.2), (EventLoopBlocked, None, Some(20), High));
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
    // Where others use all of the machine, it may have been their turn.
    let full = |cores, millis| {
        stalls(4).cpu(0.1).with(|seen| {
            (seen.processors, seen.levels[1].machine_cores) = (Some(2), Some(cores));
            let stall = Stall { streams: seen.levels[1].streams, length: Duration::from_millis(millis) };
            seen.stalls.fill(stall);
        })
    };
    assert_found(full(1.9, 600), found(Low));
    assert_found(full(1.9, 2_000), found(Medium));
    assert_found(full(1.2, 600), found(High));
    assert_found(stalls(0), (NoneFound, None, None, High));
    // One of them while it was watched is no limit of that number of streams.
    let watched = Server::held(16, 16).late(&[HEALTH, UNKNOWN_PATH], 5.0).with(|seen| {
        seen.stalls = vec![Stall { streams: 4, length: Duration::from_secs(2) }; 2];
    });
    assert_found(watched.cpu(0.1), found(High));
}
