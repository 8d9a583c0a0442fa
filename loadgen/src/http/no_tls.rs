//! In place of TLS, in a build without it.

use std::io;

use tokio::net::TcpStream;

use super::target_url::Certificates;

/// There is none.
#[derive(Clone)]
pub(super) enum Tls {}

impl Tls {
    /// # Errors
    /// Always: how to build it.
    pub(super) fn new(_: &str, _: Certificates) -> Result<Self, String> {
        Err("this build has no TLS: build it with `cargo build --release --features loadgen/tls`, or use an http proxy \
             on this machine"
            .to_owned())
    }

    pub(super) async fn connect(&self, _: TcpStream) -> io::Result<TcpStream> {
        match *self {}
    }
}
