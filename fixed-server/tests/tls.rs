//! A vendor that is called over TLS, with this server's own key: the mock behind a TLS terminator.

#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mock_llm::MockLlm;
use process::{Launch, ServerProcess};
use reqwest::Response;
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// Longer than anything here takes on a busy machine; reached only by a test that fails.
const TIMEOUT: Duration = Duration::from_secs(30);

const KEY: &str = "sk-of-this-server";

/// The mock behind TLS.
struct Vendor {
    mock: MockLlm,
    url: String,
    /// The certificate that a client has to trust.
    certificate: PathBuf,
}

impl Vendor {
    async fn start() -> Self {
        let mock = MockLlm::builder().tokens(3).ttft(Duration::ZERO).inter_token(Duration::ZERO).api_key(KEY);
        let mock = mock.start().await.unwrap();
        let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![pair.cert.der().clone()], key.into()).unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(terminate(listener, TlsAcceptor::from(Arc::new(config)), mock.addr()));
        let file = format!("fixed-server-tls-{}-{}.pem", std::process::id(), addr.port());
        let certificate = std::env::temp_dir().join(file);
        std::fs::write(&certificate, pair.cert.pem()).unwrap();
        Vendor { mock, url: format!("https://{addr}/v1"), certificate }
    }

    fn launch(&self) -> Launch {
        let program = Launch::new(env!("CARGO_BIN_EXE_fixed-server")).on_free_port().keep_lines(1_000);
        program.args(["--upstream", &self.url, "--attempts", "1"])
    }

    /// fixed-server, which trusts this vendor's certificate.
    async fn trusting(&self, key: Option<&str>) -> ServerProcess {
        let key = key.map(|key| ("FIXED_SERVER_UPSTREAM_API_KEY", key));
        let program = self.launch().env("SSL_CERT_FILE", self.certificate.to_str().unwrap());
        key.into_iter().fold(program, |program, (name, value)| program.env(name, value)).start(TIMEOUT).await.unwrap()
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.certificate);
    }
}

async fn terminate(listener: TcpListener, acceptor: TlsAcceptor, to: std::net::SocketAddr) {
    while let Ok((socket, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A client that does not trust the certificate ends the handshake.
            let Ok(mut tls) = acceptor.accept(socket).await else { return };
            let mut vendor = TcpStream::connect(to).await.unwrap();
            let _ = copy_bidirectional(&mut tls, &mut vendor).await;
        });
    }
}

async fn ask(server: &ServerProcess, path: &str, stream: bool) -> Response {
    let body = json!({ "model": "m", "stream": stream, "messages": [{ "role": "user", "content": "hi" }] });
    let client = gateway::http_client().timeout(TIMEOUT).build().unwrap();
    let request = client.post(format!("{}{path}", server.url())).bearer_auth("demo-key");
    request.json(&body).send().await.unwrap()
}

#[tokio::test]
#[cfg_attr(target_os = "macos", ignore = "the system alone decides which certificates are trusted")]
async fn calls_and_streams_reach_the_vendor_over_tls_with_our_key() {
    let vendor = Vendor::start().await;
    let server = vendor.trusting(Some(KEY)).await;
    let whole = ask(&server, "/v1/chat/completions", false).await;
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.json::<Value>().await.unwrap()["object"], "chat.completion");
    for path in ["/v1/chat/completions", "/chat/stream"] {
        let stream = ask(&server, path, true).await;
        assert_eq!(stream.status(), 200);
        let text = stream.text().await.unwrap();
        assert!(text.ends_with("data: [DONE]\n\n"), "{path}: {text}");
    }
    let client = gateway::http_client().build().unwrap();
    let models = client.get(format!("{}/v1/models", server.url())).bearer_auth("demo-key").send().await.unwrap();
    assert_eq!(models.status(), 200, "the list of models needs the key too");
    assert_eq!(vendor.mock.ledger().completed, 3);
    assert!(server.log().iter().all(|line| !line.contains(KEY)), "the key is in the log");
}

#[tokio::test]
#[cfg_attr(target_os = "macos", ignore = "the system alone decides which certificates are trusted")]
async fn a_clients_own_key_is_not_passed_on() {
    let vendor = Vendor::start().await;
    let server = vendor.trusting(None).await;
    let client = gateway::http_client().timeout(TIMEOUT).build().unwrap();
    // Without a key of the server's: not even one that the vendor would accept.
    let request = client.post(format!("{}/llm", server.url())).bearer_auth(KEY).json(&json!({ "prompt": "hi" }));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], "key_refused");
}

#[tokio::test]
async fn an_untrusted_certificate_is_a_502_and_the_log_says_why() {
    let (vendor, trusted) = (Vendor::start().await, Vendor::start().await);
    let trusting_another = vendor.launch().env("SSL_CERT_FILE", trusted.certificate.to_str().unwrap());
    let server = trusting_another.start(TIMEOUT).await.unwrap();
    for stream in [false, true] {
        let response = ask(&server, "/v1/chat/completions", stream).await;
        assert_eq!(response.status(), 502);
        let body: Value = response.json().await.unwrap();
        assert_eq!(
            (&body["error"]["type"], &body["error"]["code"]),
            (&json!("upstream_failure"), &json!("unreachable"))
        );
        assert!(!body.to_string().contains("certificate"), "the client learns nothing internal: {body}");
    }
    let deadline = tokio::time::Instant::now() + TIMEOUT;
    while !server.log().iter().any(|line| line.contains("certificate")) {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", server.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(vendor.mock.ledger().started, 0);
}
