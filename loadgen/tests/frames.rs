//! The frames of a lab while the engine runs it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod test_programs;

use std::time::Duration;

use loadgen::engine::{Options, Progress, RunningArm, run};
use loadgen::lab::{Arm, BASELINE, ByHand, Group, LOADED, Lab, Load, Phase, Profile, flags};
use loadgen::live::{Frame, LabFrames, PoolFrame, ProbeFrame};
use loadgen::result::{RunResult, Side};
use loadgen::traffic::Schedule;
use test_programs::TestPrograms;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Six streams that outlast a pool of four threads, and on fixed-server two more that are replaced.
fn lab() -> Lab {
    let kept = Load::streams(2).named("kept").tokens(2).schedule(Schedule::concurrency(2));
    let fast = Profile {
        vendor: flags("--tokens 60 --ttft 50ms --inter-token 100ms"),
        arms: vec![Arm::broken().flags("--blocking-threads 4"), Arm::fixed()],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(MS(600)),
            Phase::new(LOADED, "6 streams").adds(Load::streams(6)).hold(MS(1_400)),
            Phase::new("more", "2 kept").only("fixed").adds(kept).hold(MS(600)),
            Phase::new("after", "nothing new").hold(MS(600)),
        ],
        drain: Duration::ZERO,
        ..Profile::default()
    };
    let (mistake, fix, repair_file, proves_not) = ("", "", "", "");
    let (name, group, fix_file, by_hand, normal) =
        ("pool-exhaustion", Group::Threads, "", ByHand::NeedsItsLab(""), Profile::default());
    Lab { name, group, mistake, fix, fix_file, repair_file, proves_not, by_hand, normal, fast }
}

/// Keeps a frame for each quarter of a second.
struct Seen {
    phases: Vec<&'static Phase>,
    frames: Option<LabFrames>,
    seen: Vec<Frame>,
}

impl Progress for Seen {
    fn started(&mut self, arms: &[RunningArm]) {
        self.frames = Some(LabFrames::start(self.phases.clone(), arms));
    }

    fn second(&mut self, _: &Phase, _: Duration, _: &[RunningArm]) {}

    fn tick(&mut self, phase: &Phase, now: Duration, arms: &[RunningArm]) {
        let frames = self.frames.as_mut().unwrap();
        self.seen.push(frames.at(phase, now, arms).clone());
    }
}

/// The last frame in the phase of this number. After the last phase, frames go on while the last answers are awaited.
fn last_in(seen: &[Frame], phase: usize) -> &Frame {
    let is_in = |frame: &Frame| frame.phase.as_ref().is_some_and(|now| now.number == phase && now.left_ms > 0.0);
    seen.iter().rfind(|frame| is_in(frame)).unwrap()
}

async fn frames_of(lab: &'static Lab) -> (Vec<Frame>, RunResult) {
    let programs = TestPrograms::beside_others("frames");
    let options = Options {
        sides: vec![Side::Broken, Side::Fixed],
        expect_fixed: false,
        mistake: None,
        fast: true,
        database_url: None,
        program_dir: programs.path("").into(),
        start_timeout: Duration::from_secs(20),
        command: "lab".into(),
    };
    let mut seen = Seen { phases: lab.fast.phases.iter().collect(), frames: None, seen: Vec::new() };
    let run = run(lab, &lab.fast, &options, &mut seen).await.unwrap();
    (seen.seen, run.result)
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_follow_the_phases_the_streams_and_the_pool() {
    let (seen, result) = frames_of(Box::leak(Box::new(lab()))).await;
    let idle = last_in(&seen, 1);
    let phase = idle.phase.as_ref().unwrap();
    assert_eq!((phase.name.as_str(), phase.title.as_str(), phase.of), (BASELINE, "idle", 4));
    assert!(phase.left_ms <= 600.0 && (2_600.0..=3_200.0).contains(&phase.run_left_ms), "{phase:?}");
    assert_eq!(idle.arms.iter().map(|arm| arm.streams_asked).sum::<u64>(), 0);
    let names: Vec<_> = idle.arms.iter().map(|arm| (arm.name.as_str(), arm.side, arm.mistake.as_deref())).collect();
    let expected = [("broken", Some(Side::Broken), Some("pool-exhaustion")), ("fixed", Some(Side::Fixed), None)];
    assert_eq!(names, expected);

    let loaded = last_in(&seen, 2);
    let [broken, fixed] = &loaded.arms[..] else { panic!("{loaded:?}") };
    assert_eq!(broken.pool, Some(PoolFrame { size: 4, busy: 4, queued: broken.pool.unwrap().queued }));
    assert!(broken.pool.unwrap().queued >= 2 && fixed.pool.is_none(), "{:?}", broken.pool);
    for (arm, at_vendor) in [(broken, 4), (fixed, 6)] {
        assert_eq!(
            (arm.streams_active, arm.streams_asked, arm.vendor.unwrap().active),
            (6, 6, at_vendor),
            "{}",
            arm.name
        );
        assert!(arm.chunks_per_second > 0.0 && arm.threads.is_some() && arm.cpu_cores.is_some(), "{}", arm.name);
    }
    assert!(matches!(broken.probes["health_sync"], ProbeFrame::Waiting { .. }), "{:?}", broken.probes);
    assert!(matches!(fixed.probes["health_sync"], ProbeFrame::Answered { .. }), "{:?}", fixed.probes);
    assert!(broken.collapse.is_some() && fixed.collapse.is_none(), "{:?}", fixed.collapse);

    let asked = |frame: &Frame| frame.arms.iter().map(|arm| arm.streams_asked).collect::<Vec<_>>();
    assert_eq!(asked(last_in(&seen, 3)), [6, 8], "two are replaced whenever they end");
    let left = asked(last_in(&seen, 4));
    assert!((6..=8).contains(&left[1]), "those are not replaced any more: {left:?}");
    // What was shown while it ran is what the result says.
    let (shown, written) = (&seen.last().unwrap().arms[1].rows, &result.arms["fixed"].timeline);
    let settled = shown.len() - 5;
    assert_eq!(shown[..settled], written[..settled]);
}
