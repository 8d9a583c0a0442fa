//! A session driven by hand, over the real programs: what is asked for is what the vendors see.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::test_programs::TestPrograms;
use loadgen::http::Endpoint;
use loadgen::live::{ArmFrame, PoolFrame, ProbeFrame};
use loadgen::session::{
    CheckState, Listening, Session, SessionArm, SessionError, SessionEvent, SessionOptions, SingleState,
};
use loadgen::vendor;
use process::Launch;
use tokio::time::{sleep, timeout};
use wire::ledger::Ledger;

const LIMIT: Duration = Duration::from_secs(30);

async fn open(programs: &TestPrograms) -> Session {
    let path = programs.path("broken-server");
    Session::open(SessionOptions::new(Path::new(&path).parent().unwrap())).await.unwrap()
}

async fn wait_until(session: &Session, what: &str, mut done: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < LIMIT, "timed out waiting until {what}: {:#?}", session.state());
        sleep(Duration::from_millis(20)).await;
    }
}

async fn wait_until_running(session: &Session) {
    wait_until(session, "both arms run", async || {
        let state = session.state();
        !state.starting && state.arms.values().all(|arm| arm.running)
    })
    .await;
}

/// What the vendor of `arm` has seen.
async fn ledger(session: &Session, arm: SessionArm) -> Ledger {
    let vendor = session.state().arms[&arm].vendor.clone().unwrap();
    vendor::counts(&Endpoint::parse(&vendor).unwrap()).await.unwrap()
}

async fn wait_for_ledger(session: &Session, arm: SessionArm, what: &str, done: impl Fn(&Ledger) -> bool) {
    wait_until(session, &format!("{arm}'s ledger has {what}"), async || done(&ledger(session, arm).await)).await;
}

/// Waits for a frame in which `arm` looks as wanted.
async fn wait_for_frame(session: &Session, arm: SessionArm, what: &str, done: impl Fn(&ArmFrame) -> bool) {
    let looks = || session.with_frame(|frame| done(&frame.arms[arm as usize]));
    wait_until(session, &format!("{arm}'s frame shows {what}"), async || looks()).await;
}

/// The next event for which `take` returns something.
async fn next<T>(listening: &mut Listening, what: &str, mut take: impl FnMut(SessionEvent) -> Option<T>) -> T {
    let found = timeout(LIMIT, async {
        loop {
            if let Some(found) = take(listening.events.recv().await.unwrap()) {
                return found;
            }
        }
    });
    found.await.unwrap_or_else(|_| panic!("timed out waiting for {what}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_see_exactly_the_streams_that_are_asked_for() {
    let programs = TestPrograms::beside_others("session-streams");
    let session = open(&programs).await;
    session.start("pool-exhaustion").unwrap();
    session.set_streams(20).unwrap();
    wait_until_running(&session).await;
    let counts = |active, started, cancelled| {
        move |ledger: &Ledger| (ledger.active, ledger.started, ledger.cancelled) == (active, started, cancelled)
    };
    for (streams, expected) in [(20, counts(20, 20, 0)), (7, counts(7, 20, 13)), (12, counts(12, 25, 13))] {
        session.set_streams(streams).unwrap();
        for arm in SessionArm::ALL {
            wait_for_ledger(&session, arm, &format!("{streams} streams"), expected).await;
            let shown = |arm: &ArmFrame| (arm.streams_active, arm.streams_asked) == (streams.into(), streams.into());
            wait_for_frame(&session, arm, "them", shown).await;
        }
    }
    session.set_streams(0).unwrap();
    for arm in SessionArm::ALL {
        wait_for_ledger(&session, arm, "none", counts(0, 25, 25)).await;
    }
    let max = session.streams_limit().max;
    let refused = session.set_streams(max + 1).unwrap_err();
    assert!(matches!(refused, SessionError::TooManyStreams { .. }), "{refused}");
    assert_eq!(session.state().streams, 0, "nothing has changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_five_streams_fill_the_pool_and_leave_the_fixed_server_alone() {
    let programs = TestPrograms::beside_others("session-hangs");
    let session = open(&programs).await;
    session.start("pool-exhaustion").unwrap();
    wait_until_running(&session).await;
    session.set_streams(45).unwrap();
    wait_for_frame(&session, SessionArm::Broken, "a full pool", |arm| {
        arm.streams_active == 45
            && arm.pool.is_some_and(|PoolFrame { size, busy, queued }| (size, busy) == (40, 40) && queued >= 5)
    })
    .await;
    wait_for_frame(&session, SessionArm::Broken, "a health check that waits", |arm| {
        let waits = matches!(arm.probes["health_sync"], ProbeFrame::Waiting { .. });
        waits && arm.rows.iter().any(|row| row.probe_waiting.contains_key("health_sync")) && arm.collapse.is_some()
    })
    .await;
    wait_for_frame(&session, SessionArm::Fixed, "answers", |arm| {
        let answered = |probe: &ProbeFrame| matches!(probe, ProbeFrame::Answered { .. });
        arm.streams_active == 45
            && arm.probes.values().all(answered)
            && arm.vendor.is_some_and(|vendor| vendor.active == 45)
    })
    .await;

    let mut listening = session.listen();
    assert!(listening.frame.arms.iter().all(|arm| arm.rows.len() > 4), "whoever comes later sees all rows");
    let rows = next(&mut listening, "a frame", |event| match event {
        SessionEvent::Frame(frame) => Some(frame.arms[1].rows.len()),
        _ => None,
    });
    assert!(rows.await < 8, "and then those that are new");
    let waiting = [SessionArm::Broken, SessionArm::Fixed].map(|arm| session.check(arm).unwrap());
    let (state, ms) = next(&mut listening, "the answer of fixed-server", |event| match event {
        SessionEvent::Check { id, state, ms, .. } if id == waiting[1] && state != CheckState::Waiting => {
            Some((state, ms))
        }
        SessionEvent::Check { id, state, .. } if id == waiting[0] => {
            assert_eq!(state, CheckState::Waiting, "broken-server has no thread for it");
            None
        }
        _ => None,
    })
    .await;
    assert!(state == CheckState::Answered && ms > 0.0, "{state:?} after {ms} ms");
    let [broken, fixed] = &session.found()[..] else { panic!("{:?}", session.found()) };
    assert!(broken.streams_max == 45 && broken.collapse.is_some() && fixed.collapse.is_none(), "{broken:?} {fixed:?}");
    drop(session);
    assert!(programs.running().is_empty(), "left behind: {:?}", programs.running());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mistake_restarts_the_broken_server_alone_and_a_killed_one_is_reported() {
    let programs = TestPrograms::beside_others("session-restarts");
    let session = open(&programs).await;
    let names: Vec<_> = session.mistakes().iter().map(|mistake| mistake.name.as_str()).collect();
    assert!(names.starts_with(&["none", "pool-exhaustion"]) && names.len() >= 19, "{names:?}");
    let unknown = session.start("pool-exhaustoin").unwrap_err().to_string();
    assert!(unknown.contains("did you mean 'pool-exhaustion'?"), "{unknown}");

    session.start("pool-exhaustion").unwrap();
    session.set_streams(5).unwrap();
    wait_until_running(&session).await;
    let before = ["broken-server", "fixed-server"].map(|program| programs.pids(program));
    session.set_mistake("pool-per-chunk").unwrap();
    wait_until(&session, "the other mistake runs", async || {
        let broken = session.state().arms[&SessionArm::Broken].clone();
        broken.program.is_some_and(|program| program.contains("--mistake pool-per-chunk"))
    })
    .await;
    wait_for_ledger(&session, SessionArm::Broken, "the streams again", |ledger| ledger.active == 5).await;
    let after = ["broken-server", "fixed-server"].map(|program| programs.pids(program));
    assert!(before[0] != after[0] && before[1] == after[1], "{before:?} {after:?}");
    session.with_frame(|frame| {
        assert_eq!(frame.arms[0].mistake.as_deref(), Some("pool-per-chunk"));
        assert!(frame.arms[0].rows.iter().all(|row| row.t_ms >= frame.arms[0].started_ms), "rows of the one before");
    });

    let killed = Launch::new("kill").args(["-KILL", &after[0][0]]).output(LIMIT).await.unwrap();
    assert!(killed.status.success());
    wait_until(&session, "it is reported", async || session.state().arms[&SessionArm::Broken].error.is_some()).await;
    let state = session.state();
    let (broken, fixed) = (&state.arms[&SessionArm::Broken], &state.arms[&SessionArm::Fixed]);
    assert!(broken.error.as_deref().unwrap().starts_with("broken-server ended (signal: 9"), "{broken:?}");
    assert!(!broken.running && fixed.running && state.running, "{state:?}");
    session.start_arm(SessionArm::Broken);
    wait_until_running(&session).await;
    wait_for_ledger(&session, SessionArm::Broken, "the streams once more", |ledger| ledger.active == 5).await;
    session.stop();
    wait_until(&session, "all is stopped", async || !session.state().running).await;
    assert!(programs.running().is_empty() && session.state().streams == 0, "{:?}", programs.running());
}

#[tokio::test(flavor = "multi_thread")]
async fn single_streams_are_shown_token_by_token() {
    let programs = TestPrograms::beside_others("session-singles");
    let session = open(&programs).await;
    session.start("none").unwrap();
    session.set_singles(SessionArm::Fixed, true);
    let mut listening = session.listen();
    let (mut open, mut texts) = ([false; 8], vec![String::new(); 8]);
    next(&mut listening, "three tokens of each", |event| {
        match event {
            SessionEvent::Stream { stream, state, reason } => {
                open[stream] = state == SingleState::Open;
                assert_eq!(reason, None);
            }
            SessionEvent::Token { stream, text } => {
                assert!(open[stream] && !text.is_empty());
                texts[stream] += &text;
            }
            _ => {}
        }
        texts.iter().all(|text| text.split_whitespace().count() >= 3).then_some(())
    })
    .await;
    wait_for_frame(&session, SessionArm::Fixed, "them", |arm| (arm.streams_active, arm.streams_asked) == (8, 8)).await;
    let later = session.listen().singles;
    assert!(
        later.iter().zip(&texts).all(|(single, text)| single.text.starts_with(text.as_str())),
        "{later:?} {texts:?}"
    );
    session.set_singles(SessionArm::Fixed, false);
    wait_for_ledger(&session, SessionArm::Fixed, "none", |ledger| (ledger.active, ledger.cancelled) == (0, 8)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_start_is_quoted_and_the_other_arm_runs() {
    let programs = TestPrograms::beside_others("session-fails");
    programs.replace("fixed-server", "echo 'no such flag' >&2; exit 2");
    let session = open(&programs).await;
    session.start("none").unwrap();
    wait_until(&session, "both outcomes are known", async || {
        let state = session.state();
        state.arms[&SessionArm::Broken].running && state.arms[&SessionArm::Fixed].error.is_some()
    })
    .await;
    let error = session.state().arms[&SessionArm::Fixed].error.clone().unwrap();
    assert!(error.contains("fixed-server") && error.contains("no such flag"), "{error}");
    assert!(matches!(session.check(SessionArm::Fixed), Err(SessionError::NotRunning(SessionArm::Fixed))));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_closed_when_nobody_is_there_any_more() {
    let programs = TestPrograms::beside_others("session-idle");
    let path = programs.path("broken-server");
    let options = SessionOptions::new(Path::new(&path).parent().unwrap());
    let session = Session::open(SessionOptions { idle_timeout: Duration::from_secs(1), ..options }).await.unwrap();
    session.start("none").unwrap();
    session.set_streams(3).unwrap();
    wait_until(&session, "the streams are closed", async || session.state().notice.is_some()).await;
    assert_eq!(session.state().streams, 0);
    assert!(session.state().arms.values().any(|arm| arm.running || arm.starting), "the arms go on");
    session.set_streams(1).unwrap();
    assert_eq!(session.state().notice, None);
}
