//! A running server under test, and a client for it.

use std::net::SocketAddr;

use anyhow::Context;
use process::{Launch, ServerProcess};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::program::launch;
use crate::servers::Server;
use crate::wait::TIMEOUT;

/// The key that both servers accept by default.
pub const DEMO_KEY: &str = "demo-key";

/// The servers' own route for streams.
pub const STREAM_ROUTE: &str = "/chat/stream";
/// The servers' own route for whole answers.
pub const WHOLE_ROUTE: &str = "/llm";
/// The servers' own route for summaries of whole answers.
pub const SUMMARY_ROUTE: &str = "/llm/summary";
/// OpenAI's chat completions, under both of its paths.
pub const COMPLETION_ROUTES: [&str; 2] = ["/v1/chat/completions", "/api/v1/chat/completions"];

/// A running server under test, and a client for it.
#[derive(Debug)]
pub struct Running {
    /// Its row in the table of servers.
    pub server: &'static Server,
    /// Its process.
    pub program: ServerProcess,
    client: Client,
}

impl Server {
    /// How this server is started on a free port with `upstream` as its vendor.
    ///
    /// # Errors
    /// When it is not built.
    pub fn launch(&self, upstream: &str) -> anyhow::Result<Launch> {
        let launch = launch(self.program)?.on_free_port().args(["--upstream", upstream]);
        Ok(launch.args(self.args.iter().copied()))
    }

    /// Starts this server with `extra` arguments.
    ///
    /// # Errors
    /// When it is not built, or as [`Launch::start`].
    pub async fn start(&'static self, upstream: &str, extra: &[&str]) -> anyhow::Result<Running> {
        let program = self.launch(upstream)?.args(extra.iter().copied()).start(TIMEOUT).await.context(self.name)?;
        Running::new(self, program)
    }
}

impl Running {
    /// A client for `program`, which is `server`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(server: &'static Server, program: ServerProcess) -> anyhow::Result<Self> {
        let client = gateway::http_client().timeout(TIMEOUT * 2).build()?;
        Ok(Running { server, program, client })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.program.addr()
    }

    /// A request to `path`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address()))
    }

    /// A GET of `path`.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// A POST of `body` to `path`, with the demo key, which routes without keys ignore.
    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path).bearer_auth(DEMO_KEY).json(body)
    }
}

/// The smallest chat request that every route accepts: `text` from the user, streamed where the route
/// leaves that open.
#[must_use]
pub fn streamed(text: &str) -> Value {
    json!({ "model": "mock-llm", "messages": [{ "role": "user", "content": text }], "stream": true })
}

/// The same, answered whole where the route leaves that open.
#[must_use]
pub fn whole(text: &str) -> Value {
    json!({ "model": "mock-llm", "messages": [{ "role": "user", "content": text }] })
}
