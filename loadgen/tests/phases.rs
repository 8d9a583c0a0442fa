//! The loads of a lab's phases, run by the engine: counted for each load, each phase and the arm.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod test_programs;

use std::time::Duration;

use loadgen::engine::{Options, Progress, RunningArm, run};
use loadgen::lab::{Arm, ByHand, Group, LOADED, Lab, Load, Phase, Profile, flags};
use loadgen::result::{ArmResult, PhaseResult, Side};
use loadgen::traffic::{Client, Request, Schedule, Step};
use test_programs::TestPrograms;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn profile() -> Profile {
    let call = Request::whole().tokens(2);
    let paid = Load::new("paid", call.clone()).schedule(Schedule::rate(40.0));
    let free = Load::new("free", call.clone()).schedule(Schedule::rate(10.0));
    let steps = (1..=3).map(|step| Step::new(format!("step {step}"), call.clone().tokens(step)));
    let endless = Load::streams(2).schedule(Schedule::concurrency(2)).client(Client::default().keeps_text());
    Profile {
        vendor: flags("--tokens 10 --ttft 20ms --inter-token 20ms"),
        arms: vec![Arm::fixed()],
        phases: vec![
            Phase::new(LOADED, "").adds(paid).adds(free).adds(endless.named("kept")).hold(MS(1_000)),
            Phase::new("after", "").settle(MS(200)).hold(MS(300)),
            Phase::new("sequence", "").adds(Load::sequence("steps", steps.collect())).until_done(MS(20_000)),
        ],
        ..Profile::default()
    }
}

fn lab() -> Lab {
    let (mistake, fix, repair_file, proves_not) = ("", "", "", "");
    let (name, group, fix_file) = ("loads", Group::Calls, "");
    let (by_hand, normal, fast) = (ByHand::NeedsItsLab(""), Profile::default(), profile());
    Lab { name, group, mistake, fix, fix_file, repair_file, proves_not, by_hand, normal, fast }
}

struct Silent;

impl Progress for Silent {
    fn started(&mut self, _: &[RunningArm]) {}
    fn second(&mut self, _: &Phase, _: Duration, _: &[RunningArm]) {}
    fn tick(&mut self, _: &Phase, _: Duration, _: &[RunningArm]) {}
}

fn phase<'a>(arm: &'a ArmResult, name: &str) -> &'a PhaseResult {
    arm.phases.iter().find(|phase| phase.name == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_are_counted_by_load_phase_and_arm() {
    let programs = TestPrograms::new("loads");
    let options = Options {
        sides: vec![Side::Fixed],
        expect_fixed: false,
        mistake: None,
        fast: true,
        database_url: None,
        program_dir: programs.path("").into(),
        start_timeout: Duration::from_secs(20),
        command: "lab".into(),
    };
    let lab: &'static Lab = Box::leak(Box::new(lab()));
    let arm = run(lab, &lab.fast, &options, &mut Silent).await.unwrap().result.arms.remove("fixed").unwrap();
    let (loaded, sequence) = (phase(&arm, LOADED), phase(&arm, "sequence"));

    let (paid, free, kept) = (&loaded.loads["paid"], &loaded.loads["free"], &loaded.loads["kept"]);
    assert!((20..=60).contains(&paid.requested) && (5..=15).contains(&free.requested), "{paid:?} {free:?}");
    let (calls, streams) = (loaded.calls.as_ref().unwrap(), loaded.streams.as_ref().unwrap());
    assert_eq!(calls.requested, paid.requested + free.requested);
    assert_eq!((calls.completed, calls.tokens), (calls.requested, 2 * calls.requested), "{calls:?}");
    assert_eq!((streams.requested, streams.peak_active), (kept.requested, 2));
    assert!(kept.requested >= 4 && kept.texts.len() == 1, "{kept:?}");
    // Goodput is that of the measurement, and not of the whole run.
    let seconds = (loaded.to_ms - loaded.from_ms) / 1_000.0;
    assert!(paid.completed_per_second * seconds <= paid.completed as f64 + 0.5, "{paid:?}");
    assert!(paid.completed_per_second > 0.5 * paid.completed as f64 / seconds, "{paid:?}");

    // The loads of the first phase have stopped, so that no call is sent between it and the sequence.
    assert!(phase(&arm, "after").loads.is_empty());
    assert_eq!(phase(&arm, "after").vendor.unwrap().started, 0);
    assert!(sequence.to_ms - sequence.from_ms < 10_000.0, "it ends with its load");
    let steps = &sequence.loads["steps"].steps;
    let rows: Vec<_> = steps.iter().map(|step| (step.name.as_str(), step.status, step.failure.as_deref())).collect();
    assert_eq!(rows, ["step 1", "step 2", "step 3"].map(|name| (name, Some(200), None)));
    assert!(steps.iter().all(|step| step.tokens.is_some()), "{steps:?}");
    let (all_calls, total) = (arm.calls.as_ref().unwrap(), calls.requested + 3);
    assert_eq!((all_calls.requested, arm.streams.requested), (total, streams.requested));
    assert_eq!(arm.vendor.as_ref().unwrap().started, total + streams.requested);
}
