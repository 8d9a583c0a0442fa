use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

/// A server as a process of its own, killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
}

impl Server {
    pub(crate) fn start(program: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(program).args(args).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let addr = loop {
            let line = lines.next().expect("it ended before it listened").unwrap();
            if let Some((_, addr)) = line.split_once("listening on http://") {
                break addr.parse().unwrap();
            }
        };
        // Its log is part of what it costs, and is read as a log is.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Server { child, addr }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
