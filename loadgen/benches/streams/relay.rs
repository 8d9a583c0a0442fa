//! A plain relay on axum and reqwest: what streaming costs with the same libraries and nothing else.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use process::{Launch, START_TIMEOUT, ServerProcess};
use reqwest::Client;
use tokio::net::TcpListener;

/// Makes this program the relay; its value is the vendor's address.
const ARGUMENT: &str = "--relay";

#[derive(Clone)]
struct Vendor {
    client: Client,
    url: String,
}

/// Starts the relay: this program again, as a process of its own.
pub(crate) async fn start(vendor: SocketAddr) -> anyhow::Result<ServerProcess> {
    let relay = Launch::new(std::env::current_exe()?).args([format!("{ARGUMENT}=http://{vendor}")]);
    Ok(relay.start(START_TIMEOUT).await?)
}

/// The vendor's address, in the process that becomes the relay.
pub(crate) fn requested() -> Option<String> {
    std::env::args().find_map(|arg| Some(arg.strip_prefix(ARGUMENT)?.strip_prefix('=')?.to_owned()))
}

/// Serves until the process is killed.
pub(crate) fn run(upstream: &str) -> anyhow::Result<()> {
    // One thread, as fixed-server has.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(upstream))
}

async fn serve(upstream: &str) -> anyhow::Result<()> {
    let client = gateway::http_client().tcp_nodelay(true).build()?;
    let vendor = Vendor { client, url: format!("{upstream}/v1/chat/completions") };
    let routes = Router::new().route("/v1/chat/completions", post(pass_on)).route("/debug/health-sync", get(health));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("relay: listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    Ok(axum::serve(listener, routes.with_state(vendor)).await?)
}

async fn pass_on(
    State(vendor): State<Vendor>,
    body: Bytes,
) -> Result<([(HeaderName, &'static str); 1], Body), StatusCode> {
    let request = vendor.client.post(&vendor.url).header(CONTENT_TYPE, "application/json").body(body);
    let response = request.send().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    Ok(([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(response.bytes_stream())))
}

async fn health() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(CONTENT_TYPE, "application/json")], r#"{"status":"ok"}"#)
}
