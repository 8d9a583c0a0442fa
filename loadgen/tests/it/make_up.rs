//! What `make up`, `make reset` and `make stop` do, by their scripts: on ports that are free, in place of those of
//! the README, which a test must not take.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A folder for process ids and logs. Dropped, what was started with it is stopped.
struct Up {
    run: PathBuf,
    port: u16,
}

impl Up {
    fn new(test: &str) -> Self {
        let run = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("up-{test}-{}", std::process::id()));
        Up { run, port: free_port() }
    }

    fn script(&self, name: &str) -> Output {
        let programs = Path::new(env!("CARGO_BIN_EXE_loadgen")).parent().unwrap();
        let mut command = Command::new("sh");
        command.arg(format!("scripts/{name}.sh")).current_dir(repository());
        command.env("BIN", programs).env("RUN", &self.run).env("MISTAKE", "none").env("PORT", self.port.to_string());
        command.output().unwrap()
    }

    fn is_listening(&self, offset: u16) -> bool {
        TcpStream::connect(("127.0.0.1", self.port + offset)).is_ok()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.script("stop");
        let _ = fs::remove_dir_all(&self.run);
    }
}

/// Where the vendor is, beside the broken server.
const VENDOR: u16 = 1000;

/// One test at a time: a child that another one has just forked holds this one's listening sockets for a
/// moment, and ports that were free are taken.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// One that is free with the two others that belong to it.
fn free_port() -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let first = 20_000 + u16::try_from(std::process::id() % 5_000).unwrap();
    (first..).step_by(7).find(|port| [0, 1, VENDOR].iter().all(|offset| is_free(port + offset))).unwrap()
}

fn curl(arguments: &[&str]) -> String {
    let output = Command::new("curl").args(["--noproxy", "*", "-sS"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn up_reset_and_stop_do_what_they_say() {
    let _alone = alone();
    let up = Up::new("whole");
    let started = up.script("up");
    let said = String::from_utf8_lossy(&started.stdout).into_owned();
    assert_eq!((started.status.code(), err(&started).as_str()), (Some(0), ""), "no stray line");
    for (offset, program) in [(0, "broken-server"), (1, "fixed-server"), (VENDOR, "mock-llm")] {
        let url = format!("http://127.0.0.1:{}", up.port + offset);
        assert!(said.lines().any(|line| line.contains(program) && line.contains(&url)), "{said}");
        assert!(up.is_listening(offset), "{program}");
    }
    assert!(err(&up.script("up")).contains("is running already: make stop"));

    if Command::new("curl").arg("--version").output().is_ok() {
        let vendor = format!("http://127.0.0.1:{}", up.port + VENDOR);
        let json = ["-H", "content-type: application/json", "-d"];
        let llm = format!("http://127.0.0.1:{}/llm", up.port);
        curl(&[&[llm.as_str()], &json[..], &[r#"{"prompt":"hi","max_tokens":1}"#]].concat());
        let faults = format!("{vendor}/debug/faults");
        curl(&[&[faults.as_str()], &json[..], &[r#"{"faults":["hang"]}"#]].concat());
        assert!(curl(&[&format!("{vendor}/debug/stats")]).contains(r#""started":1"#), "the call came to its vendor");
        let reset = up.script("reset");
        assert_eq!((reset.status.code(), err(&reset).as_str()), (Some(0), ""));
        assert_eq!(curl(&[&faults]), r#"{"faults":[]}"#);
        assert!(curl(&[&format!("{vendor}/debug/stats")]).contains(r#""started":0"#));
    }

    let stopped = up.script("stop");
    assert_eq!((String::from_utf8_lossy(&stopped.stdout).lines().count(), err(&stopped).as_str()), (3, ""));
    assert!([0, 1, VENDOR].iter().all(|offset| !up.is_listening(*offset)));
    let reset = up.script("reset");
    assert_eq!(reset.status.code(), Some(1));
    assert!(err(&reset).contains("make up"), "{}", err(&reset));
}

#[test]
fn a_taken_port_is_named_and_nothing_is_left_running() {
    let _alone = alone();
    for (offset, program) in [(0, "broken-server"), (1, "fixed-server"), (VENDOR, "mock-llm")] {
        let up = Up::new(&format!("taken-{program}"));
        let _taken = TcpListener::bind(("127.0.0.1", up.port + offset)).unwrap();
        let output = up.script("up");
        let said = err(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("Port {}, which {program} needs, is taken", up.port + offset)), "{said}");
        assert!(said.contains(&format!("make up PORT={}", up.port + 100)), "{said}");
        assert_eq!(said.lines().count(), 2, "{said}");
        let others = [0, 1, VENDOR].into_iter().filter(|other| *other != offset);
        assert!(others.into_iter().all(|other| !up.is_listening(other)), "something runs on");
    }
}

#[test]
fn an_invalid_port_is_named() {
    let _alone = alone();
    let mut up = Up::new("no-port");
    up.port = 65_000;
    let output = up.script("up");
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("PORT is '65000', expected a number from 1 to 64535"), "{}", err(&output));
}

/// make would ignore it, and list the labs in place of running one.
#[test]
fn a_lower_case_variable_is_an_error() {
    let _alone = alone();
    let make = |argument: &str| Command::new("make").args(["lab", argument]).current_dir(repository()).output();
    for (given, right) in [("name=rollout", "NAME=rollout"), ("keep=1", "KEEP=1"), ("port=8100", "PORT=8100")] {
        let Ok(output) = make(given) else {
            eprintln!("not run, there is no make here");
            return;
        };
        assert_eq!(output.status.code(), Some(2));
        let said = err(&output);
        assert!(said.contains(&format!("'{given}' does nothing: write {right}")), "{said}");
    }
}
