//! A server with TLS: `https://`, with a certificate that is trusted, or with `--insecure`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use super::{CHECK, GOOD, ended, launch, sends};
use crate::scripted::{NOT_FOUND, Script, serve};

/// A scripted server behind TLS.
struct Secure {
    addr: SocketAddr,
    /// What a client has to trust.
    certificate: PathBuf,
}

impl Secure {
    /// Without streams, which is known after a few requests.
    async fn start() -> Self {
        Self::with_streams(sends!(NOT_FOUND)).await
    }

    async fn with_streams(streams: Script) -> Self {
        let (plain, _) = serve(streams, CHECK).await;
        let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let mut config = config.with_single_cert(vec![pair.cert.der().clone()], key.into()).unwrap();
        // Without HTTP/1.1 among them there would be no connection.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(terminate(acceptor.clone(), socket, plain));
            }
        });
        let certificate = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("diagnose-{}.pem", addr.port()));
        std::fs::write(&certificate, pair.cert.pem()).unwrap();
        Secure { addr, certificate }
    }

    async fn diagnosed(&self, more: &[&str], trusted: &Path) -> (i32, String) {
        let url = format!("https://{}", self.addr);
        ended(launch(&[&["--url", &url], more].concat()).env("SSL_CERT_FILE", trusted)).await
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.certificate);
    }
}

async fn terminate(acceptor: TlsAcceptor, socket: TcpStream, to: SocketAddr) {
    // A client that does not trust the certificate ends the handshake.
    let Ok(mut tls) = acceptor.accept(socket).await else { return };
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut server = TcpStream::connect(to).await.unwrap();
    let _ = copy_bidirectional(&mut tls, &mut server).await;
}

const REACHED: &str = "POST /chat/stream answered 404";

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(target_os = "macos", ignore = "the system alone decides which certificates are trusted")]
async fn a_server_with_a_trusted_certificate_is_diagnosed_over_tls() {
    let server = Secure::with_streams(GOOD).await;
    let (code, said) = server.diagnosed(&["--max-streams", "2", "--budget", "20s"], &server.certificate).await;
    assert!(code == 0 && said.contains("none_found") && !said.contains("Any certificate"), "{code}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(target_os = "macos", ignore = "the system alone decides which certificates are trusted")]
async fn an_untrusted_certificate_is_named_with_the_flag_that_accepts_it() {
    let (server, other) = (Secure::start().await, Secure::start().await);
    let (code, said) = server.diagnosed(&[], &other.certificate).await;
    assert!(code == 3 && said.contains("certificate") && said.contains("--insecure accepts any"), "{code}: {said}");
    let (code, said) = server.diagnosed(&["--insecure"], &other.certificate).await;
    assert!(code == 2 && said.contains(REACHED) && said.contains("Any certificate is accepted"), "{code}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_scheme_is_named() {
    let server = Secure::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let https = Secure { addr: listener.local_addr().unwrap(), certificate: PathBuf::new() };
    tokio::spawn(async move {
        // What a server says to the first bytes of TLS.
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await.unwrap();
    });
    let (code, said) = https.diagnosed(&["--insecure"], &server.certificate).await;
    assert!(code == 3 && said.contains("does it have TLS there? Otherwise it is http://"), "{code}: {said}");
    let (code, said) = super::command(&["--url", &format!("http://{}", server.addr)]).await;
    assert!(code == 3 && said.contains("GET /health, without any load"), "{code}: {said}");
}
