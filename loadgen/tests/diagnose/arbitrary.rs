//! Servers that answer in any way: a diagnosis ends in time, does not panic, and finds nothing without evidence.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use loadgen::diagnose::{DiagnoseError, DiagnoseOptions};
use loadgen::result::{Confidence, Diagnosis, DiagnosisKind};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::{diagnosed, options};

/// Servers at the same time: nearly all of their time is waiting.
const SERVERS: usize = 24;
const BUDGET: Duration = Duration::from_secs(16);

/// A step of an answer.
#[derive(Debug, Clone)]
enum Step {
    Bytes(Vec<u8>),
    Pause(u64),
    /// Pieces, and the time between two.
    Pieces(u16, u64),
    Hang,
    Close,
}

/// How a server answers one kind of path: by one of these, in turn.
type Answers = Vec<Vec<Step>>;

fn head() -> impl Strategy<Value = Step> {
    let status = prop::sample::select(vec![200_u16, 200, 200, 204, 301, 401, 404, 429, 500, 502, 503]);
    let kind = prop::sample::select(vec!["text/event-stream", "text/html", "application/json", "x"]);
    let length = prop::option::of(0_u32..100);
    (status, kind, length).prop_map(|(status, kind, length)| {
        let length = length.map_or_else(String::new, |length| format!("content-length: {length}\r\n"));
        let text =
            format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\nlocation: /x\r\n{length}connection: close\r\n\r\n");
        Step::Bytes(text.into_bytes())
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1_u16..60, 5_u64..60).prop_map(|(pieces, gap)| Step::Pieces(pieces, gap)),
        2 => prop::collection::vec(any::<u8>(), 0..50).prop_map(Step::Bytes),
        2 => (0_u64..600).prop_map(Step::Pause),
        1 => Just(Step::Hang),
        1 => Just(Step::Close),
    ]
}

fn answer() -> impl Strategy<Value = Vec<Step>> {
    let steps = || prop::collection::vec(step(), 0..4);
    prop_oneof![
        9 => (head(), steps()).prop_map(|(head, rest)| [vec![head], rest].concat()),
        1 => steps(),
    ]
}

/// A check that is one; then the ramp begins.
fn good_check() -> Just<Answers> {
    Just(vec![vec![Step::Bytes(crate::scripted::OK.into())]])
}

/// A stream that is one, before others.
fn good_stream_first() -> impl Strategy<Value = Answers> {
    let good = vec![Step::Bytes(crate::scripted::EVENTS.into()), Step::Pieces(40, 20)];
    prop::collection::vec(answer(), 0..3).prop_map(move |others| [vec![good.clone(); 3], others].concat())
}

fn server() -> impl Strategy<Value = (Answers, Answers)> {
    let any = || prop::collection::vec(answer(), 1..4);
    prop_oneof![
        1 => (any(), any()),
        2 => (any(), good_check()),
        4 => (good_stream_first(), good_check()),
    ]
}

async fn serve(streams: Answers, checks: Answers) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, mut check) = (0, 0);
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let Ok(read) = connection.read(&mut request).await else { continue };
            let (answers, turn) = match request[..read].starts_with(b"POST") {
                true => (&streams, &mut stream),
                false => (&checks, &mut check),
            };
            tokio::spawn(perform(connection, answers[*turn % answers.len()].clone()));
            *turn += 1;
        }
    });
    addr
}

async fn perform(mut connection: TcpStream, steps: Vec<Step>) {
    for step in steps {
        let sent = match step {
            Step::Bytes(bytes) => connection.write_all(&bytes).await,
            Step::Pause(millis) => {
                sleep(Duration::from_millis(millis)).await;
                Ok(())
            }
            Step::Pieces(pieces, gap) => pieces_of(&mut connection, pieces, gap).await,
            Step::Hang => return sleep(BUDGET * 2).await,
            Step::Close => return,
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn pieces_of(connection: &mut TcpStream, pieces: u16, gap: u64) -> std::io::Result<()> {
    for _ in 0..pieces {
        connection.write_all(b"data: x\n\n").await?;
        sleep(Duration::from_millis(gap)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_server_answers_a_diagnosis_ends_in_time_and_says_why() {
    let mut runner = TestRunner::default();
    let servers: Vec<_> = (0..SERVERS).map(|_| server().new_tree(&mut runner).unwrap().current()).collect();
    let diagnoses = servers.into_iter().map(|(streams, checks)| {
        let answers = format!("streams {streams:?}, checks {checks:?}");
        let diagnosis = async move {
            let options = DiagnoseOptions { budget: BUDGET, ..options(serve(streams, checks).await) };
            let began = Instant::now();
            (diagnosed(&options, |_| {}).await, began.elapsed())
        };
        async move { (tokio::spawn(diagnosis).await, answers) }
    });
    let mut began_to_ramp = 0;
    for (ended, answers) in join_all(diagnoses).await {
        let (found, took) = ended.unwrap_or_else(|panic| panic!("{panic}: {answers}"));
        assert!(took < BUDGET + Duration::from_millis(1_500), "{took:?}: {answers}");
        match found {
            Ok(found) => {
                began_to_ramp += usize::from(!found.levels.is_empty());
                assert_is_evidence(&found, &answers);
            }
            Err(error) => assert_says_why(&error, &answers),
        }
    }
    assert!(began_to_ramp * 4 >= SERVERS, "only {began_to_ramp} of {SERVERS} were good enough to begin with");
}

fn assert_is_evidence(found: &Diagnosis, answers: &str) {
    let is_finding = !matches!(found.kind, DiagnosisKind::NoneFound | DiagnosisKind::Inconclusive);
    assert!(!is_finding || !found.evidence.is_empty(), "a finding without evidence: {found:?}: {answers}");
    let is_unsure = found.kind == DiagnosisKind::Inconclusive;
    assert!(!is_unsure || found.confidence == Confidence::Low, "{found:?}: {answers}");
}

fn assert_says_why(error: &DiagnoseError, answers: &str) {
    let said = error.to_string();
    assert!(said.len() < 600 && !said.chars().any(char::is_control), "{said:?}: {answers}");
}
