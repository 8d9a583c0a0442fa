//! A vendor that answers at once.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,
"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],
"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;

/// Answers every call the same, without a timer. The mock's timers are tokio's, with a resolution of a millisecond: more
/// than what is measured here.
pub(crate) async fn run() {
    let app = Router::new().route("/v1/chat/completions", post(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    eprintln!("listening on http://{}", listener.local_addr().unwrap());
    axum::serve(listener.tap_io(|socket| drop(socket.set_nodelay(true))), app).await.unwrap();
}

async fn answer() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], ANSWER)
}
