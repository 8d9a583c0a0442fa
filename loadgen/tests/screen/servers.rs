//! Servers under test, and the commands that look at them from a terminal.

use std::net::SocketAddr;
use std::time::Duration;

use crate::USUAL;
use crate::pty::OnTerminal;
use crate::scripted::{Answering, OK, Request, serve};

pub(crate) use crate::scripted::FAILING as FAILS;

pub(crate) const LOADGEN: &str = env!("CARGO_BIN_EXE_loadgen");

/// An objective that every server here meets, if it has streams.
pub(crate) const OBJECTIVE: &str = "lost==0";

/// A server whose streams have ten tokens, and whose checks are answered at once.
pub(crate) async fn server() -> SocketAddr {
    serve(ten_tokens, healthy).await.0
}

fn ten_tokens(mut request: Request) -> Answering {
    Box::pin(async move {
        request.tokens(10, Duration::from_millis(20)).await;
        request.send("data: [DONE]\n\n").await;
    })
}

pub(crate) fn healthy(mut request: Request) -> Answering {
    Box::pin(async move {
        request.send(OK).await;
    })
}

/// `loadgen run` on a terminal of this size.
pub(crate) fn run(server: SocketAddr, more: &[&str], size: (u16, u16), environment: &[(&str, &str)]) -> OnTerminal {
    let url = format!("http://{server}");
    let args = ["run", "--url", &url, "--probe", "health=/health", "--concurrency", "3", "--ramp", "0s"];
    OnTerminal::start(LOADGEN, &[&args[..], &["--baseline", "200ms"], more].concat(), size, environment)
}

pub(crate) fn watch(server: SocketAddr, more: &[&str]) -> OnTerminal {
    let url = format!("http://{server}");
    OnTerminal::start(LOADGEN, &[&["watch", "--url", &url, "--probe", "health=/health"], more].concat(), USUAL, &[])
}
