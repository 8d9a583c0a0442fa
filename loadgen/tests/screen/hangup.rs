//! A terminal that is gone: its window was closed while a dashboard was on it.

use std::io::Read;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, open};

use crate::servers::{LOADGEN, server};

/// Killed when the test fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_ends_when_its_terminal_is_gone() {
    let url = format!("http://{}", server().await);
    let (mut pty, pts) = open().unwrap();
    pty.resize(Size::new(24, 80)).unwrap();
    let watch = Command::new(LOADGEN).args(["watch", "--url", &url, "--probe", "health=/health"]);
    let mut watch = Killed(watch.env("TERM", "xterm-256color").spawn(pts).unwrap());
    let mut written = Vec::new();
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&written).contains("health") {
        let read = pty.read(&mut piece).unwrap();
        written.extend_from_slice(&piece[..read]);
    }
    drop(pty);
    let deadline = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(status) = watch.0.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "it goes on without a terminal");
        thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(3), "as when a signal stops it");
}
