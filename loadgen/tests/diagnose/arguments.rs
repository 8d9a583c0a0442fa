//! Arguments that cannot be meant are bad usage, before anything is sent.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::atomic::Ordering::Relaxed;

use tokio::net::{TcpListener, TcpSocket};

use super::{CHECK, GOOD, TIMEOUT, command, launch, sends};
use crate::scripted::{NOT_FOUND, serve, serve_on};

const URL: &str = "http://127.0.0.1:1";

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_cannot_be_meant_exit_with_2_and_say_what_is_allowed() {
    for (args, named) in [
        (&["--url", "127.0.0.1:8000"][..], "expected something like http://127.0.0.1:8000"),
        (&["--url", "localhost:8000/chat"], "is not a URL with a scheme"),
        (&["--url", "ftp://127.0.0.1"], "expected http or https"),
        (&["--url", "http://127.0.0.1:70000"], "expected 1 to 65535"),
        (&["--url", "http://0.0.0.0:8000/chat"], "use http://127.0.0.1:8000/chat"),
        (&["--url", "http://u:p@127.0.0.1:1"], "--api-key"),
        (&["--url", "http://no-such-host.invalid"], "does not resolve"),
        (&["--url", "http://198.51.100.1:80"], "say so with --i-own-this-server; it then opens 200 streams at most"),
        (&["--url", "http://127.0.0.1:1/a", "--stream-path", "/b"], "--stream-path /b is another"),
        (&["--url", URL, "--health-path", "health"], "a path that begins with /"),
        (
            &["--url", URL, "--method", "GET", "--stream-path", "/health"],
            "--health-path /health is the path of the streams",
        ),
        (&["--url", URL, "--async-health-path", "/health"], "--async-health-path /health is --health-path too"),
        (&["--url", URL, "--header", "nonsense"], "expected NAME: VALUE"),
        (&["--url", URL, "--header", "Content-Length: 5"], "content-length is that of the body"),
        (&["--url", URL, "--api-key", "k", "--header", "Authorization: x"], "--api-key and --header"),
        (&["--url", URL, "--pid", "4000000000"], "--pid 4000000000: there is no such process"),
        (&["--url", URL, "--max-streams", "0"], "1..=20000"),
        (&["--url", URL, "--max-streams", "20001"], "1..=20000"),
        (&["--url", URL, "--budget", "0s"], "longer than zero"),
        (&["--url", URL, "--budget", "2h"], "at most 1h"),
        (&["--url", URL, "--out", "a", "--html", "a"], "--out and --html name the same file"),
        (&[], "--url"),
    ] {
        let (code, said) = command(args).await;
        assert_eq!(code, 2, "{args:?}: {said}");
        assert!(said.contains(named) && !said.contains("panicked"), "{args:?}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_reached_exits_with_3() {
    // Bound, and it never listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let (code, said) = command(&["--url", &url]).await;
    assert!(code == 3 && said.contains(&format!("no server answers at {url}")), "{code}: {said}");
}

/// An address of this machine that is not loopback, if it has one. Nothing is sent: the system only chooses a route.
pub(crate) fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("198.51.100.1:9").ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_on_loopback_needs_its_owner() {
    let Some(own) = own_address() else { return };
    let Ok(listener) = TcpListener::bind((own, 0)).await else { return };
    let (server, seen) = serve_on(listener, sends!(NOT_FOUND), CHECK);
    let url = format!("http://{server}");
    let (code, said) = command(&["--url", &url]).await;
    assert!(code == 2 && said.contains("say so with --i-own-this-server"), "{code}: {said}");
    assert_eq!(seen.checks.load(Relaxed), 0, "nothing was sent to it");
    for (more, most) in [(&[][..], "and 200 streams"), (&["--max-streams", "300"], "and 300 streams")] {
        let (code, said) = command(&[&["--url", &url, "--i-own-this-server"], more].concat()).await;
        assert!(code == 2 && said.contains("POST /chat/stream answered 404") && said.contains(most), "{code}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_the_second_address_of_its_host_is_found() {
    // Not every machine has IPv6.
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    // Nothing listens at the first address. The port may be that of another test's server there.
    let first = TcpSocket::new_v4().unwrap();
    let port = listener.local_addr().unwrap().port();
    let Ok(()) = first.bind((Ipv4Addr::LOCALHOST, port).into()) else { return };
    let both: Vec<_> = ("localhost", port).to_socket_addrs().into_iter().flatten().collect();
    if !both.iter().any(SocketAddr::is_ipv4) || !both.iter().any(SocketAddr::is_ipv6) {
        return eprintln!("skipped: localhost has only {both:?} on this machine");
    }
    serve_on(listener, sends!(NOT_FOUND), CHECK);
    let (code, said) = command(&["--url", &format!("http://localhost:{port}")]).await;
    assert!(code == 2 && said.contains("POST /chat/stream answered 404"), "{code}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_streams_than_descriptors_exit_with_3_and_the_number() {
    let (server, _) = serve(GOOD, CHECK).await;
    let url = format!("http://{server}");
    let launch = launch(&["--url", &url, "--max-streams", "150"]).descriptors(200);
    let output = launch.output(TIMEOUT).await.unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", output.stderr);
    // Two kinds of probes, 10 a second for 4 s, the connection that is kept, and two hundred for everything else.
    assert!(output.stderr.contains("needs 431 file descriptors, but the limit is 200"), "{}", output.stderr);
}
