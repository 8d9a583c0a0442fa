//! A bare relay.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::serve::ListenerExt;
use reqwest::Client;
use tokio::net::TcpListener;

#[derive(Clone)]
struct Vendor {
    client: Client,
    url: String,
}

/// Passes on bodies and answers, and does nothing else.
pub(crate) async fn run(upstream: &str) {
    let client = gateway::http_client().build().unwrap();
    let vendor = Vendor { client, url: format!("{upstream}/v1/chat/completions") };
    let app = Router::new().route("/llm", post(pass_on)).with_state(vendor);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    eprintln!("listening on http://{}", listener.local_addr().unwrap());
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    axum::serve(listener, app).await.unwrap();
}

async fn pass_on(State(vendor): State<Vendor>, body: Bytes) -> impl IntoResponse {
    let request = vendor.client.post(&vendor.url).header(CONTENT_TYPE, "application/json").body(body);
    let answer = request.send().await.unwrap().bytes().await.unwrap();
    ([(CONTENT_TYPE, "application/json")], answer)
}
