//! The rules, with a scripted program and a scripted probe, under a paused clock.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::lives::Lives;
use super::program::Program;
use super::slot::{ClosesSlot, Slot};
use super::{BackOffRules, Cause, Rules, SupervisorError};
use crate::error::StartError;

const SECOND: Duration = Duration::from_secs(1);
const RULES: Rules = Rules {
    initial_delay: Duration::from_secs(2),
    period: Duration::from_secs(10),
    timeout: SECOND,
    failure_threshold: 3,
    grace: Duration::from_secs(30),
    back_off: BackOffRules {
        first: Duration::from_secs(10),
        max: Duration::from_secs(300),
        reset_after: Duration::from_secs(600),
    },
    ends_max: 3,
};

/// How the programs of a test behave, and what happened to them: second by second since its start.
#[derive(Default)]
struct Script {
    /// It ends by itself after this time.
    ends_after: Option<Duration>,
    /// It never listens.
    is_stillborn: bool,
    /// How long it takes to stop after SIGTERM.
    stops_within: Duration,
    spawned: AtomicUsize,
    alive: AtomicUsize,
    events: Mutex<Vec<(u64, String)>>,
}

struct Scripted {
    script: Arc<Script>,
    began: Instant,
    end: Notify,
    killed: AtomicU32,
    origin: Instant,
}

impl Scripted {
    fn note(&self, what: &str) {
        self.script.events.lock().unwrap().push((self.origin.elapsed().as_secs(), what.to_owned()));
    }
}

impl Program for Scripted {
    async fn ready(&self, timeout: Duration) -> Result<SocketAddr, StartError> {
        if self.script.is_stillborn {
            let (program, status) = ("scripted".to_owned(), "exit status: 1".to_owned());
            return Err(StartError::Ended { program, status, last_lines: "address in use".to_owned() });
        }
        sleep(SECOND.min(timeout)).await;
        Ok("127.0.0.1:1".parse().unwrap())
    }

    async fn end(&self) -> String {
        match self.script.ends_after {
            Some(after) => tokio::time::sleep_until(self.began + after).await,
            None => self.end.notified().await,
        }
        "exit status: 7".to_owned()
    }

    async fn stop(&self, grace: Duration) -> String {
        self.note("SIGTERM");
        sleep(self.script.stops_within.min(grace)).await;
        let status = if self.script.stops_within > grace { "SIGKILL" } else { "exit status: 0" };
        self.note(status);
        status.to_owned()
    }

    fn kill(&self) {
        self.killed.fetch_add(1, Relaxed);
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.script.alive.fetch_sub(1, Relaxed);
    }
}

/// The outcome of the probes, by their number, and whether they answer at all.
type Probes = fn(usize) -> Option<Result<(), String>>;

const HEALTHY: Probes = |_| Some(Ok(()));

/// Runs `script` under supervision for `time`; returns its slot, and how the first start went.
async fn supervise(
    script: &Arc<Script>,
    probes: Probes,
    time: Duration,
) -> (ClosesSlot<Scripted>, Result<(), SupervisorError>) {
    let slot = ClosesSlot(Arc::new(Slot::new()));
    let (origin, sent) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let played = script.clone();
    let spawn = move |on: Option<SocketAddr>| {
        let number = played.spawned.fetch_add(1, Relaxed);
        assert!(played.alive.fetch_add(1, Relaxed) <= 1, "two at a time, besides the one that has just ended");
        let began = Instant::now();
        let (end, killed) = (Notify::new(), AtomicU32::new(0));
        let program = Scripted { script: played.clone(), began, end, killed, origin };
        assert_eq!(on.is_none(), number == 0 || played.is_stillborn, "on its old address, once it has one");
        program.note("start");
        Ok(program)
    };
    let probe = move |_| {
        let number = sent.fetch_add(1, Relaxed);
        async move {
            match probes(number) {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        }
    };
    let mut lives = Lives::new(slot.0.clone(), RULES, SECOND * 5, spawn, probe);
    let first = lives.begin(None).await;
    match first {
        Err(error) => (slot, Err(error)),
        Ok(life) => {
            let task = tokio::spawn(lives.go_on(life));
            sleep(time).await;
            task.abort();
            let _ = task.await;
            (slot, Ok(()))
        }
    }
}

fn events(script: &Script) -> Vec<(u64, String)> {
    script.events.lock().unwrap().clone()
}

fn at(second: u64, what: &str) -> (u64, String) {
    (second, what.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_healthy_program_is_left_alone() {
    let script = Arc::new(Script::default());
    let (slot, _) = supervise(&script, HEALTHY, SECOND * 3600).await;
    assert_eq!(events(&script), [at(0, "start")]);
    assert!(slot.0.restarts().is_empty() && slot.0.program().is_some());
}

#[tokio::test(start_paused = true)]
async fn three_failures_in_a_row_stop_it_and_fewer_do_not() {
    let script = Arc::new(Script::default());
    // Two late ones, an answer, two that fail, an answer; then three in a row.
    let probes: Probes = |number| match number {
        0 | 1 => None,
        2 | 5 => Some(Ok(())),
        _ if number < 9 => Some(Err("status 503".into())),
        _ => Some(Ok(())),
    };
    let (slot, _) = supervise(&script, probes, SECOND * 100).await;
    // It listens after 1 s, and is probed from 3 s on, every 10 s: the ninth probe is due at 83 s.
    assert_eq!(events(&script), [at(0, "start"), at(83, "SIGTERM"), at(83, "exit status: 0"), at(83, "start")]);
    let [restart] = &slot.0.restarts()[..] else { panic!("one restart: {:?}", slot.0.restarts()) };
    assert_eq!((restart.cause, restart.back_off), (Cause::Liveness, Duration::ZERO));
    assert_eq!(restart.detail, "status 503; stopped: exit status: 0");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_stop_within_its_grace_is_killed_and_restarts_back_off() {
    let script = Arc::new(Script { stops_within: SECOND * 60, ..Script::default() });
    let origin = Instant::now();
    let (slot, _) = supervise(&script, |_| None, SECOND * 260).await;
    // Each life: a probe after 3 s, the third is late 21 s after that, and the grace is 30 s.
    let life = |start| [at(start, "start"), at(start + 24, "SIGTERM"), at(start + 54, "SIGKILL")];
    let expected = [life(0), life(54), life(54 * 2 + 10), life(54 * 3 + 10 + 20)].concat();
    assert_eq!(events(&script)[..12], expected[..]);
    let back_offs: Vec<_> = slot.0.restarts().iter().map(|restart| restart.back_off.as_secs()).collect();
    assert_eq!(back_offs, [0, 10, 20, 40]);
    let first = slot.0.restarts()[0].at.duration_since(origin.into_std());
    assert_eq!(first, SECOND * 24, "when it had failed its probes, not when it had stopped");
    assert!(slot.0.gave_up().is_none(), "one that hangs is restarted without end");
}

#[tokio::test(start_paused = true)]
async fn one_that_ends_by_itself_is_restarted_as_long_as_it_was_healthy_in_between() {
    let script = Arc::new(Script { ends_after: Some(SECOND * 5), ..Script::default() });
    let (slot, _) = supervise(&script, HEALTHY, SECOND * 120).await;
    assert_eq!(events(&script).iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 5, 20, 45, 90]);
    assert!(slot.0.restarts().iter().all(|restart| restart.cause == Cause::Ended));
    assert!(slot.0.restarts()[0].detail.contains("exit status: 7"));
}

#[tokio::test(start_paused = true)]
async fn one_that_dies_at_once_is_given_up_with_its_status_and_last_lines() {
    let script = Arc::new(Script { is_stillborn: true, ..Script::default() });
    let (slot, started) = supervise(&script, HEALTHY, SECOND).await;
    let error = started.unwrap_err().to_string();
    for part in ["3 times in a row", "exit status: 1", "address in use"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(events(&script).len(), 3);
    drop(slot);
    assert_eq!(script.alive.load(Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn one_that_ends_before_any_probe_succeeds_is_given_up_later_too() {
    let script = Arc::new(Script { ends_after: Some(SECOND * 2), ..Script::default() });
    let (slot, started) = supervise(&script, HEALTHY, SECOND * 60).await;
    started.unwrap();
    assert!(slot.0.gave_up().unwrap().contains("3 times in a row"));
    assert_eq!(slot.0.restarts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_closed_slot_kills_its_program_and_starts_no_other() {
    let script = Arc::new(Script::default());
    let (slot, _) = supervise(&script, HEALTHY, SECOND).await;
    let (running, inner) = (slot.0.program().unwrap(), slot.0.clone());
    drop(slot);
    assert_eq!(running.killed.load(Relaxed), 1);
    assert!(inner.spawn(|| panic!("it is closed")).is_none());
}
