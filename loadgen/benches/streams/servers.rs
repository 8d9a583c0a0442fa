//! The servers that are compared, and how each is started.

use std::net::SocketAddr;
use std::path::Path;

use process::{Launch, START_TIMEOUT, ServerProcess};

use crate::nginx::Nginx;
use crate::relay;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    /// nginx, which passes the vendor's stream through.
    Nginx,
    /// A plain relay on axum and reqwest, which does so too.
    Relay,
    /// fixed-server, which does so on OpenAI's route.
    Completions,
    /// fixed-server on its own route.
    ChatStream,
}

/// One that runs. Dropped, it is stopped.
pub(crate) enum Running {
    Nginx(Nginx),
    Program(ServerProcess),
}

impl Server {
    pub(crate) const ALL: [Server; 4] = [Server::Nginx, Server::Relay, Server::Completions, Server::ChatStream];

    /// Reads a server's name.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let names = || Server::ALL.map(Server::name).join(", ");
        Server::ALL
            .into_iter()
            .find(|server| server.name() == name)
            .ok_or_else(|| format!("expected one of {}", names()))
    }

    /// Whether it is fixed-server.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Server::Completions | Server::ChatStream)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Server::Nginx => "nginx",
            Server::Relay => "relay",
            Server::Completions => "/v1/chat/completions",
            Server::ChatStream => "/chat/stream",
        }
    }

    /// The flags of `loadgen run` that describe the request.
    pub(crate) fn request(self) -> &'static [&'static str] {
        match self {
            Server::Nginx | Server::Relay | Server::Completions => &[
                "--path",
                "/v1/chat/completions",
                "--header",
                "authorization: Bearer demo-key",
                "--body",
                r#"{"model":"mock-llm","stream":true,"messages":[{"role":"user","content":"test"}]}"#,
            ],
            Server::ChatStream => &["--path", "/chat/stream"],
        }
    }

    pub(crate) async fn start(self, vendor: SocketAddr, program_dir: &Path) -> anyhow::Result<Running> {
        match self {
            Server::Nginx => return Ok(Running::Nginx(Nginx::start(vendor).await?)),
            Server::Relay => return Ok(Running::Program(relay::start(vendor).await?)),
            Server::Completions | Server::ChatStream => {}
        }
        let server = Launch::new(program_dir.join("fixed-server")).on_free_port();
        let server = server.args(["--upstream".to_owned(), format!("http://{vendor}")]);
        Ok(Running::Program(server.start(START_TIMEOUT).await?))
    }
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        match self {
            Running::Nginx(nginx) => nginx.pid(),
            Running::Program(program) => program.pid(),
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        match self {
            Running::Nginx(nginx) => nginx.addr(),
            Running::Program(program) => program.addr(),
        }
    }
}
