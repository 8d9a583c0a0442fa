//! The program as a process: what only a process has, such as its standard error.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mock_llm::MockLlm;
use reqwest::Client;
use serde_json::{Value, json};
use sysinfo::{Pid, ProcessesToUpdate, System};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// The program, killed when dropped.
struct Program {
    child: Child,
    url: String,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Program {
    fn start(upstream: &str, flags: &[&str]) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_fixed-server")), upstream, flags)
    }

    /// With so many descriptors and no more: a process may raise its limit, but not over that.
    fn start_with_descriptors(count: u32, upstream: &str, flags: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        let limited = format!("ulimit -n {count} && exec \"$0\" \"$@\"");
        shell.arg("-c").arg(limited).arg(env!("CARGO_BIN_EXE_fixed-server"));
        Self::run(shell, upstream, flags)
    }

    fn run(mut command: Command, upstream: &str, flags: &[&str]) -> Self {
        command.args(["--listen", "127.0.0.1:0", "--upstream", upstream]).args(flags);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = loop {
            let line = stderr.next().expect("it ended before it listened").unwrap();
            if let Some((_, addr)) = line.split_once("listening on ") {
                break addr.to_owned();
            }
        };
        Program { child, url, stderr }
    }
}

impl Program {
    /// Bytes of memory that it has now.
    fn memory(&self) -> u64 {
        let pid = Pid::from_u32(self.child.id());
        let mut system = System::new();
        system.refresh_processes(ProcessesToUpdate::Some(&[pid]), true);
        system.process(pid).expect("it runs").memory()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap()
}

/// A server that wrote its log where it arises would stop here, after some 150 requests.
#[tokio::test]
async fn a_log_that_nobody_reads_stops_nobody_and_what_is_lost_is_counted() {
    let mock = MockLlm::builder().fault("status=400").start().await.unwrap();
    let program = Program::start(&mock.url(), &[]);
    let client = client();
    let asked = json!({ "prompt": "hi" });
    // Each writes two lines of some 200 bytes: more than the pipe holds and those that may wait.
    for _ in 0..30 {
        let asking = (0..100).map(|_| client.post(format!("{}/llm", program.url)).json(&asked).send());
        assert!(join_all(asking).await.into_iter().all(|answer| answer.unwrap().status() == 400));
    }
    let metrics = client.get(format!("{}/metrics", program.url)).send().await.unwrap().text().await.unwrap();
    let dropped = metrics.lines().find_map(|line| line.strip_prefix("log_lines_dropped_total ")).unwrap();
    assert!(dropped.parse::<u64>().unwrap() > 0, "this test has no teeth");
}

/// One JSON object for each request, and one for each attempt that failed, with the request's id.
#[tokio::test]
async fn the_log_tells_of_every_request_and_failed_attempt_with_its_id() {
    let mock = MockLlm::builder().tokens(2).fault("status=503;first=1").start().await.unwrap();
    let mut program = Program::start(&mock.url(), &["--log-format", "json"]);
    let request = client().post(format!("{}/chat/stream", program.url)).header("x-request-id", "traced-1");
    let body = json!({ "messages": [{ "role": "user", "content": "hi" }] });
    request.json(&body).send().await.unwrap().text().await.unwrap();
    let mut lines = Vec::new();
    while lines.len() < 2 {
        let line = program.stderr.next().expect("the log ended").unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        if line["request_id"] == "traced-1" {
            lines.push(line);
        }
    }
    let [attempt, request] = &lines[..] else { unreachable!() };
    assert_eq!((&attempt["message"], &attempt["attempt"]), (&json!("an attempt failed"), &json!(1)));
    assert_eq!(attempt["outcome"], "upstream_failure");
    assert!(attempt["took_ms"].is_u64() && attempt["retry_in_ms"].is_u64(), "{attempt}");
    assert_eq!((&request["message"], &request["outcome"]), (&json!("request ended"), &json!("success")));
    assert_eq!(request["attempts"], 2);
    assert!(request["took_ms"].is_u64() && request["queued_ms"].is_u64(), "{request}");
    assert_eq!(mock.ledger().attempts_by_request_id["traced-1"], 2, "the vendor was told the id");
}

/// More clients than it has descriptors for: as many as are accepted can all call the vendor, and the others
/// wait for their turn. None is left for anybody to fail for.
#[tokio::test]
async fn at_the_limit_of_descriptors_clients_wait_and_no_call_fails() {
    const CLIENTS: usize = 300;
    let mock = MockLlm::builder().tokens(2).ttft(Duration::ZERO).inter_token(Duration::from_millis(300));
    let mock = mock.start().await.unwrap();
    let mut program = Program::start_with_descriptors(200, &mock.url(), &["--database-pool-size", "1"]);
    let body = json!({ "messages": [{ "role": "user", "content": "hi" }] });
    // Without idle connections, each of which would keep its place.
    let client =
        Client::builder().no_proxy().timeout(Duration::from_secs(60)).pool_max_idle_per_host(0).build().unwrap();
    let stream = async || {
        let answer = client.post(format!("{}/chat/stream", program.url)).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for (status, text) in join_all((0..CLIENTS).map(|_| stream())).await {
        assert!(status == 200 && text.ends_with("data: [DONE]\n\n"), "{status} {text}");
    }
    let peak = mock.ledger().peak_active;
    assert!((30..=70).contains(&peak), "{peak} at once, of 66 that there are descriptors for");
    let metrics = client.get(format!("{}/metrics", program.url)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("\naccept_errors_total 0\n"), "{metrics}");

    // It was said at the start, and written in its own time. Each call has left a line behind it.
    let said: Vec<String> = program.stderr.by_ref().take(CLIENTS / 2).map(Result::unwrap).collect();
    let warning = said.iter().find(|line| line.contains("file descriptors"));
    let warning = warning.unwrap_or_else(|| panic!("no warning in {:?}", &said[..5]));
    assert!(warning.contains("--max-connections 20000") && warning.contains("available=200"), "{warning}");
}

/// What 500 clients begin to send and never finish: 1 MiB each, all but the last bytes.
#[tokio::test]
async fn unfinished_bodies_take_a_bounded_memory_and_give_it_back() {
    const CLIENTS: usize = 500;
    const MIB: usize = 1024 * 1024;
    const MEMORY_MAX: u64 = 300_000_000;
    let program = Program::start("http://127.0.0.1:9", &[]);
    let addr = program.url.trim_start_matches("http://").to_owned();
    let head = format!(
        "POST /chat/stream HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {MIB}\r\n\r\n"
    );
    let request = Arc::new([head.as_bytes(), &vec![b' '; MIB - 10]].concat());
    // Twice: what is freed once must not be kept for good.
    for _ in 0..2 {
        let clients = (0..CLIENTS).map(|_| {
            let (addr, request) = (addr.clone(), request.clone());
            async move {
                let mut client = TcpStream::connect(addr).await.unwrap();
                // A client that is refused may find its connection closed.
                let _ = client.write_all(&request).await;
                client
            }
        });
        let clients = join_all(clients).await;
        let held = program.memory();
        assert!(held < MEMORY_MAX, "{held} bytes");
        drop(clients);
        let deadline = Instant::now() + Duration::from_secs(30);
        while program.memory() > MEMORY_MAX / 3 {
            assert!(Instant::now() < deadline, "{} bytes are kept of {held}", program.memory());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
