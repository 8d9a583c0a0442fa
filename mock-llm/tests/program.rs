//! The program as a process: how it starts, stops and fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use process::{Launch, Output, ServerProcess, Signal};

/// Longer than anything here takes on a busy machine; reached only by a test that fails.
const TIMEOUT: Duration = Duration::from_secs(20);

fn launch(flags: &[&str]) -> Launch {
    Launch::new(env!("CARGO_BIN_EXE_mock-llm")).args(flags.iter().copied()).keep_lines(10_000)
}

fn start(flags: &[&str]) -> ServerProcess {
    launch(flags).on_free_port().start_blocking(TIMEOUT).unwrap()
}

fn get(program: &ServerProcess, path: &str) -> String {
    let mut socket = TcpStream::connect(program.addr()).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    response
}

/// Sends a signal and waits for the exit. Returns the exit code and the log after its first line, which says
/// where the program listens.
fn stop(program: &ServerProcess, signal: Signal) -> (Option<i32>, Vec<String>) {
    program.signal(signal).unwrap();
    let code = program.wait_blocking(TIMEOUT).unwrap().code();
    (code, program.log().split_off(1))
}

fn run(flags: &[&str]) -> Output {
    launch(flags).output_blocking(TIMEOUT).unwrap()
}

#[test]
fn it_stops_at_a_signal_even_with_an_open_stream() {
    for signal in [Signal::Term, Signal::Int] {
        let program = start(&["--ttft", "1h"]);
        let mut stream = TcpStream::connect(program.addr()).unwrap();
        let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}"#;
        let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json";
        write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        assert_ne!(stream.read(&mut [0; 64]).unwrap(), 0, "the response began");
        assert_eq!(stop(&program, signal), (Some(0), Vec::new()), "{signal:?}");
    }
}

/// As after `2>&1 |`: stdout and stderr are one pipe, which nobody reads any more.
#[test]
fn it_exits_at_a_signal_although_nobody_reads_its_output() {
    let launch = launch(&["--log-level", "trace"]).on_free_port().stdout_with_stderr().unread_once_ready();
    let program = launch.start_blocking(TIMEOUT).unwrap();
    // Until the pipe and the queue are full.
    while get(&program, "/metrics").contains("\nlog_lines_dropped_total 0\n") {
        let mut socket = TcpStream::connect(program.addr()).unwrap();
        let request = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(1000));
        let last = "GET /v1/models HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        write!(socket, "{}{last}", request.repeat(200)).unwrap();
        socket.read_to_end(&mut Vec::new()).unwrap();
    }
    assert_eq!(stop(&program, Signal::Term).0, Some(0));
}

#[test]
fn a_port_in_use_is_one_error_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &addr]);
    let said = output.stderr;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(&format!("cannot listen on {addr}")), "{said}");
}

#[test]
fn an_invalid_flag_is_an_error_that_names_it_and_code_2() {
    for (flags, named) in [
        (&["--no-such-flag"][..], "--no-such-flag"),
        (&["--listen", "nonsense"], "--listen"),
        (&["--tokens", "0"], "--tokens"),
        (&["--ttft", "-1s"], "--ttft"),
        (&["--inter-token", "soon"], "--inter-token"),
        (&["--jitter", "2"], "--jitter"),
        (&["--slowdown", "2"], "--slots"),
        (&["--quota-requests", "0/1m"], "--quota-requests"),
        (&["--fault", "status=503;rat=1"], "unknown word 'rat'"),
        (&["--profile", "fats"], "--profile"),
        (&["--log-level", "loud=loud"], "--log-level"),
    ] {
        let output = run(flags);
        let said = output.stderr;
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {said}");
        assert!(said.contains(named), "{flags:?}: {said}");
    }
}

#[test]
fn help_and_version_exit_with_code_0() {
    for flag in ["--help", "--version"] {
        let output = run(&[flag]);
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stdout.contains("mock-llm"));
    }
}

#[test]
fn flags_can_be_set_by_the_environment() {
    let launch = launch(&[]).env("MOCK_LLM_LISTEN", "127.0.0.1:0").env("MOCK_LLM_MODEL", "a,b");
    let program = launch.env("MOCK_LLM_FAULT", "hang,drip=1s").start_blocking(TIMEOUT).unwrap();
    assert!(get(&program, "/v1/models").contains(r#""id":"b""#));
    assert!(get(&program, "/debug/faults").contains(r#"{"faults":["hang","drip=1s"]}"#));
}

#[test]
fn the_log_is_empty_by_default_and_can_be_json() {
    let quiet = start(&[]);
    get(&quiet, "/v1/models");
    assert_eq!(stop(&quiet, Signal::Term), (Some(0), Vec::new()));

    let program = start(&["--log-format", "json", "--log-level", "trace"]);
    get(&program, "/v1/models");
    let (code, log) = stop(&program, Signal::Term);
    assert_eq!(code, Some(0));
    assert!(!log.is_empty() && log.iter().all(|line| line.starts_with('{') && line.ends_with('}')), "{log:?}");
}
