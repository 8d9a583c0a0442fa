//! The program as a process: how it starts, stops and fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::io::{BufRead as _, BufReader, PipeReader, Read, Write as _, pipe};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The program, running; killed when dropped.
struct Program {
    child: Child,
    stderr: BufReader<Box<dyn Read>>,
    /// Its first line.
    ready: String,
}

fn command(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-llm"));
    command.args(flags).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Program {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        Self::ready(child, stderr)
    }

    /// `stderr` is what the command writes to.
    fn start_with(mut command: Command, stderr: PipeReader) -> Self {
        Self::ready(command.spawn().unwrap(), stderr)
    }

    fn ready(child: Child, stderr: impl Read + 'static) -> Self {
        let mut stderr = BufReader::new(Box::new(stderr) as Box<dyn Read>);
        let mut ready = String::new();
        stderr.read_line(&mut ready).unwrap();
        Program { child, stderr, ready }
    }

    fn addr(&self) -> &str {
        self.ready.trim_end().split_once("listening on http://").unwrap().1
    }

    fn get(&self, path: &str) -> String {
        let mut socket = TcpStream::connect(self.addr()).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        socket.read_to_string(&mut response).unwrap();
        response
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its exit. Returns the exit code and what it printed after the first line.
    fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(flags: &[&str]) -> Output {
    command(flags).output().unwrap()
}

#[test]
fn it_stops_at_a_signal_even_with_an_open_stream() {
    for signal in ["TERM", "INT"] {
        let program = Program::start(command(&["--listen", "127.0.0.1:0", "--ttft", "1h"]));
        let mut stream = TcpStream::connect(program.addr()).unwrap();
        let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}"#;
        let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json";
        write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        assert_ne!(stream.read(&mut [0; 64]).unwrap(), 0, "the response began");
        program.signal(signal);
        let (code, said) = program.end();
        assert_eq!((code, said.as_str()), (Some(0), ""), "{signal}");
    }
}

/// As after `2>&1 |`: stdout and stderr are one pipe, which nobody reads any more.
#[test]
fn it_exits_at_a_signal_although_nobody_reads_its_output() {
    let (outputs, writer) = pipe().unwrap();
    let mut command = command(&["--listen", "127.0.0.1:0", "--log-level", "trace"]);
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut program = Program::start_with(command, outputs);
    // Until the pipe and the queue are full.
    while program.get("/metrics").contains("\nlog_lines_dropped_total 0\n") {
        let mut socket = TcpStream::connect(program.addr()).unwrap();
        let request = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(1000));
        let last = "GET /v1/models HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        write!(socket, "{}{last}", request.repeat(200)).unwrap();
        socket.read_to_end(&mut Vec::new()).unwrap();
    }
    program.signal("TERM");
    let begun = Instant::now();
    while program.child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not exit");
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_port_in_use_is_one_error_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &addr]);
    let said = String::from_utf8(output.stderr).unwrap();
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
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {said}");
        assert!(said.contains(named), "{flags:?}: {said}");
    }
}

#[test]
fn help_and_version_exit_with_code_0() {
    for flag in ["--help", "--version"] {
        let output = run(&[flag]);
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8(output.stdout).unwrap().contains("mock-llm"));
    }
}

#[test]
fn flags_can_be_set_by_the_environment() {
    let mut command = command(&[]);
    command.env("MOCK_LLM_LISTEN", "127.0.0.1:0").env("MOCK_LLM_MODEL", "a,b").env("MOCK_LLM_FAULT", "hang,drip=1s");
    let program = Program::start(command);
    assert!(program.get("/v1/models").contains(r#""id":"b""#));
    assert!(program.get("/debug/faults").contains(r#"{"faults":["hang","drip=1s"]}"#));
}

#[test]
fn the_log_is_empty_by_default_and_can_be_json() {
    let quiet = Program::start(command(&["--listen", "127.0.0.1:0"]));
    quiet.get("/v1/models");
    quiet.signal("TERM");
    assert_eq!(quiet.end(), (Some(0), String::new()));

    let flags = ["--listen", "127.0.0.1:0", "--log-format", "json", "--log-level", "trace"];
    let program = Program::start(command(&flags));
    program.get("/v1/models");
    program.signal("TERM");
    let (code, said) = program.end();
    assert_eq!(code, Some(0));
    assert!(!said.is_empty() && said.lines().all(|line| line.starts_with('{') && line.ends_with('}')), "{said}");
}
