//! The program: flags, exit codes, messages.

use std::net::TcpListener;
use std::time::Duration;

use broken_server::registry::mistakes;
use futures_util::future::join_all;
use process::{Launch, Output, ServerProcess, Signal};

use crate::support::{Client, TIMEOUT, vendor};

fn program() -> Launch {
    Launch::new(env!("CARGO_BIN_EXE_broken-server")).keep_lines(10_000)
}

fn output(args: &[&str]) -> Output {
    program().args(args.iter().copied()).output_blocking(TIMEOUT).unwrap()
}

async fn start(launch: Launch) -> ServerProcess {
    launch.on_free_port().start(TIMEOUT).await.unwrap()
}

/// Its exit code, and what it wrote to stderr after the listening line, which is its first.
async fn wait(running: &ServerProcess) -> (Option<i32>, String) {
    let code = running.wait(TIMEOUT).await.unwrap().code();
    let log = running.log();
    assert!(log[0].starts_with("broken-server: listening on http://"), "{log:?}");
    (code, log[1..].join("\n"))
}

#[test]
fn list_prints_every_mistake_by_group_with_its_symptom() {
    let Output { status, stdout, stderr } = output(&["--list"]);
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
    let mut group = "";
    let mut listed = Vec::new();
    for line in stdout.lines() {
        match line.strip_prefix("  ") {
            Some(entry) => listed.push((group, entry.split_once("  ").unwrap())),
            None => group = line,
        }
    }
    assert_eq!(listed.len(), mistakes().count(), "{stdout}");
    for (mistake, (group, (name, symptom))) in mistakes().zip(listed) {
        let expected = (mistake.group.as_str(), mistake.name, mistake.symptom);
        assert_eq!((group, name.trim_end(), symptom.trim_start()), expected, "{stdout}");
    }
}

#[test]
fn an_unknown_mistake_gets_the_list_and_the_nearest_name() {
    for (asked, nearest) in [("pool-exhaustoin", Some("pool-exhaustion")), ("non", Some("none")), ("foo", None)] {
        let Output { status, stderr, .. } = output(&["--mistake", asked]);
        assert_eq!(status.code(), Some(2));
        let suggested = stderr.split("did you mean '").nth(1).and_then(|rest| rest.split('\'').next());
        assert_eq!(suggested, nearest, "{stderr}");
        assert!(mistakes().all(|mistake| stderr.contains(mistake.name)), "{stderr}");
    }
}

#[test]
fn bad_flags_exit_with_2_and_a_taken_address_with_1() {
    let Output { status, stderr, .. } = output(&["--blocking-threads", "0"]);
    assert_eq!(status.code(), Some(2));
    assert!(stderr.contains("--blocking-threads") && stderr.contains("1..=10000"), "{stderr}");

    let Output { status, stderr, .. } = output(&["--mistake", "none", "--rollout-percent", "5"]);
    assert_eq!(status.code(), Some(2));
    assert!(stderr.contains("--rollout-percent 5") && stderr.contains("--mistake rollout only"), "{stderr}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let Output { status, stderr, .. } = output(&["--listen", &addr]);
    assert_eq!(status.code(), Some(1));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("cannot listen on") && stderr.contains(&addr), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_come_from_the_environment_and_logs_as_json() {
    let launch = program().env("BROKEN_SERVER_MISTAKE", "pool-per-chunk").env("BROKEN_SERVER_LOG_FORMAT", "json");
    let launch = launch.env("BROKEN_SERVER_BLOCKING_THREADS", "3").env("BROKEN_SERVER_WORKERS", "2");
    let running = start(launch).await;
    assert_eq!(Client::new(&running.url()).metric("blocking_pool_size").await, 6.0);
    running.signal(Signal::Int).unwrap();
    let (code, stderr) = wait(&running).await;
    assert_eq!(code, Some(0), "{stderr}");
    for line in stderr.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).unwrap().is_object());
    }
    assert!(stderr.contains("pool-per-chunk") && stderr.contains("token gap"), "{stderr}");
}

/// With more clients than descriptors, clients wait to be accepted, and no call fails.
#[tokio::test(flavor = "multi_thread")]
async fn clients_beyond_the_descriptors_wait_and_no_call_fails() {
    let mock = vendor(2, Duration::ZERO, Duration::from_millis(300)).await;
    let launch = program().descriptors(200).args(["--mistake", "none", "--upstream", &mock.url()]);
    let running = start(launch).await;
    let client = Client::new(&running.url());
    let stream = async || {
        // An idle connection would keep its descriptor.
        let answer = client.chat().header("connection", "close").send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for (status, text) in join_all((0..300).map(|_| stream())).await {
        assert!(status == 200 && text.ends_with("data: [DONE]\n\n"), "{status} {text}");
    }
    running.signal(Signal::Term).unwrap();
    let (_, stderr) = wait(&running).await;
    assert!(stderr.contains("too few file descriptors") && stderr.contains("accepts 68 at once"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_stops_it_with_0_even_while_streams_run() {
    let mock = vendor(5, Duration::from_millis(20), Duration::from_secs(3600)).await;
    for mistake in ["pool-exhaustion", "blocked-executor"] {
        let launch = program().args(["--mistake", mistake, "--upstream", &mock.url()]);
        let running = start(launch.args(["--shutdown-grace", "200ms", "--blocking-threads", "1"])).await;
        let stream = Client::new(&running.url()).open_stream().await;
        running.signal(Signal::Term).unwrap();
        let (code, stderr) = wait(&running).await;
        assert_eq!(code, Some(0), "{mistake}: {stderr}");
        drop(stream);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_stops_it_at_once() {
    let mock = vendor(5, Duration::from_millis(20), Duration::from_secs(3600)).await;
    let running = start(program().args(["--upstream", &mock.url(), "--shutdown-grace", "1h"])).await;
    let client = Client::new(&running.url());
    let _stream = client.open_stream().await;
    running.signal(Signal::Term).unwrap();
    crate::support::until("not ready", async || client.ready().await == 503).await;
    running.signal(Signal::Term).unwrap();
    assert_eq!(wait(&running).await.0, Some(1));
}
