//! When loadgen is killed or interrupted, the programs that it started end too.

use std::path::Path;
use std::time::Duration;

use crate::test_programs::TestPrograms;
use process::{Launch, START_TIMEOUT, Signal};

/// Vendor and server of each of three arms.
const PROGRAMS: usize = 6;

#[test]
fn programs_end_when_loadgen_is_killed() {
    let programs = TestPrograms::beside_others("killed");
    let lab = programs.spawn(&["lab", "blocked-executor", "--fast"]);
    programs.wait_until_running(PROGRAMS);
    lab.signal(Signal::Kill);
    assert_eq!(lab.exit_code(), None, "it ended by itself");
    programs.wait_until_gone();
}

/// The second life of the server under supervision never listens: the run is interrupted while it starts.
#[test]
fn programs_end_when_loadgen_is_interrupted_in_the_middle_of_a_restart() {
    let programs = TestPrograms::beside_others("restart");
    let started = programs.path("second-life");
    let real = Path::new(env!("CARGO_BIN_EXE_loadgen")).with_file_name("broken-server");
    let script = format!(
        "case \"$*\" in *liveness-cascade*127.0.0.1:0*) ;; *liveness-cascade*) \
         trap '' INT TERM; echo > {started}; while :; do sleep 0.1; done ;; esac\nexec {} \"$@\"",
        real.display()
    );
    programs.replace("broken-server", &script);
    let lab = programs.spawn(&["lab", "liveness-cascade", "--fast"]);
    programs.wait_until("the second life starts", || Path::new(&started).exists());
    lab.signal(Signal::Int);
    assert_eq!(lab.exit_code(), Some(3));
    programs.wait_until_gone();
}

/// When loadgen is not the parent, standard input may end at any time.
#[test]
fn programs_started_by_others_survive_the_end_of_their_input() {
    let programs = TestPrograms::beside_others("by-hand");
    for name in ["mock-llm", "broken-server", "fixed-server"] {
        let launch = Launch::new(programs.path(name)).on_free_port().empty_stdin();
        let program = launch.start_blocking(START_TIMEOUT).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(program.ended(), None);
    }
}
