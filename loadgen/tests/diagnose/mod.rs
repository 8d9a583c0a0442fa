//! `loadgen diagnose` with arguments that cannot be meant, and on servers that are not as it needs them.

mod answers;
mod arbitrary;
mod arguments;
mod ends;
mod files;
mod pid;
#[cfg(feature = "tls")]
mod tls;
mod written;

pub(crate) use arguments::own_address;

use std::net::SocketAddr;
use std::time::Duration;

use loadgen::diagnose::{DiagnoseError, DiagnoseNews, DiagnoseOptions, diagnose};
use loadgen::http::Endpoint;
use loadgen::result::Diagnosis;
use loadgen::traffic::Request;
use process::Launch;

use crate::scripted::{NOT_FOUND, OK, Script, judged};

/// Longer than any budget here; only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A stream of a second.
const GOOD: Script = |mut request| Box::pin(async move { _ = request.tokens(50, Duration::from_millis(20)).await });
/// A health check, and nothing else.
const CHECK: Script = |mut request| {
    Box::pin(async move {
        let answer = if request.path == "/health" { OK } else { NOT_FOUND };
        request.send(answer).await;
    })
};

/// Sends these bytes, and closes the connection.
macro_rules! sends {
    ($bytes:expr) => {
        |mut request| Box::pin(async move { _ = request.send($bytes).await })
    };
}
use sends;

/// The same, but for the check; everything else is not found.
macro_rules! checks {
    ($bytes:expr) => {
        |mut request| {
            Box::pin(async move {
                if request.path == "/health" {
                    request.send($bytes).await;
                } else {
                    request.send(crate::scripted::NOT_FOUND).await;
                }
            })
        }
    };
}
use checks;

/// `loadgen diagnose` with these arguments.
fn launch(args: &[&str]) -> Launch {
    Launch::new(env!("CARGO_BIN_EXE_loadgen")).args([&["diagnose"], args].concat())
}

/// Runs it and returns its exit code and what it said.
async fn ended(launch: Launch) -> (i32, String) {
    let (code, said, _) = judged(&launch).await;
    (code, said)
}

async fn command(args: &[&str]) -> (i32, String) {
    ended(launch(args)).await
}

/// A small diagnosis of a server: 16 streams, in a time in which four of them are seen at least.
fn options(server: SocketAddr) -> DiagnoseOptions {
    DiagnoseOptions {
        endpoint: Endpoint::at(server),
        request: Request::chat(),
        headers: Vec::new(),
        api_key: None,
        health_path: "/health".to_owned(),
        async_health_path: None,
        pid: None,
        platform: None,
        streams_max: 16,
        budget: Duration::from_secs(16),
    }
}

/// Diagnoses, and calls `at` with each number of streams that was held.
async fn diagnosed(options: &DiagnoseOptions, mut at: impl FnMut(u64)) -> Result<Diagnosis, DiagnoseError> {
    let found = diagnose(options, |news| {
        if let DiagnoseNews::Level(level) = news {
            at(level.streams);
        }
    });
    found.await.map(|found| found.diagnosis)
}
