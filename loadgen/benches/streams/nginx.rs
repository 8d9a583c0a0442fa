//! Starts nginx as a relay, where it is installed: the figure to compare with.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use process::{Launch, Process, START_TIMEOUT};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// nginx as one process. Dropped, it is killed and its directory removed.
pub(crate) struct Nginx {
    process: Process,
    addr: SocketAddr,
    directory: PathBuf,
}

/// Where nginx is, if it is installed.
pub(crate) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Where Debian has it, which is not on everybody's path.
    let beside = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(beside).map(|dir| dir.join("nginx")).find(|file| file.is_file())
}

impl Nginx {
    /// Starts nginx before `vendor` and waits until it accepts.
    pub(crate) async fn start(vendor: SocketAddr) -> anyhow::Result<Self> {
        let program = find().context("nginx is not installed")?;
        // nginx takes no port 0. Free a moment ago, this one is hardly taken now.
        let addr = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let directory = std::env::temp_dir().join(format!("bench-streams-{}-{}", std::process::id(), addr.port()));
        fs::create_dir_all(directory.join("logs"))?;
        let config = directory.join("nginx.conf");
        fs::write(&config, configuration(addr, vendor, &directory))?;
        let launch = Launch::new(program).args([
            "-p".to_owned(),
            directory.display().to_string(),
            "-c".to_owned(),
            config.display().to_string(),
        ]);
        let nginx = Nginx { process: launch.empty_stdin().spawn()?, addr, directory };
        let began = Instant::now();
        while TcpStream::connect(addr).await.is_err() {
            if let Some(ended) = nginx.process.ended() {
                anyhow::bail!("it did not listen: {ended}");
            }
            anyhow::ensure!(began.elapsed() < START_TIMEOUT, "nginx does not listen");
            sleep(Duration::from_millis(20)).await;
        }
        Ok(nginx)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.process.kill();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// One process that streams unbuffered and keeps its connections to the vendor.
fn configuration(addr: SocketAddr, vendor: SocketAddr, directory: &Path) -> String {
    let directory = directory.display();
    format!(
        r#"
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log stderr crit;
worker_rlimit_nofile 20000;
events {{ worker_connections 19900; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  upstream vendor {{ server {vendor}; keepalive 64; }}
  server {{
    listen {addr} backlog=4096;
    location /debug/ {{ default_type application/json; return 200 '{{"status":"ok"}}'; }}
    location / {{
      proxy_pass http://vendor;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"#
    )
}
