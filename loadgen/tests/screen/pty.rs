//! A program on a terminal of its own: what it writes, the keys that it gets, and the modes that it leaves behind.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{Termios, tcgetattr};

/// Longer than any run on a busy machine; only a failing test reaches it.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Written to the terminal when the program has ended: what it wrote itself is before it.
const END: &str = "<the program has ended>";

/// A program that runs on a terminal. Killed when a test fails.
pub(crate) struct OnTerminal {
    pty: Pty,
    /// The side of the program, so that the terminal outlives it.
    slave: File,
    before: Termios,
    child: Child,
    written: Arc<Mutex<Vec<u8>>>,
}

/// A program that has ended.
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) code: Option<i32>,
    /// All that it wrote.
    pub(crate) written: String,
    /// Whether the terminal's modes are as they were before.
    pub(crate) modes_are_as_before: bool,
}

impl OnTerminal {
    /// Starts `program` on a terminal of this many columns and rows.
    pub(crate) fn start(
        program: impl AsRef<Path>,
        args: &[&str],
        (columns, rows): (u16, u16),
        environment: &[(&str, &str)],
    ) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let path = rustix::pty::ptsname(&pty, Vec::new()).unwrap().into_string().unwrap();
        let slave = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let before = tcgetattr(&slave).unwrap();
        let mut command =
            Command::new(program.as_ref()).args(args).env("TERM", "xterm-256color").env_remove("NO_COLOR");
        for (name, value) in environment {
            command = command.env(name, value);
        }
        let child = command.spawn(pts).unwrap();
        let written = Arc::new(Mutex::new(Vec::new()));
        let (sink, mut source) = (written.clone(), File::from(rustix::io::dup(&pty).unwrap()));
        thread::spawn(move || {
            let mut piece = [0; 4096];
            // An error says that the test is over.
            while let Ok(read @ 1..) = source.read(&mut piece) {
                sink.lock().unwrap().extend_from_slice(&piece[..read]);
            }
        });
        OnTerminal { pty, slave, before, child, written }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn resize(&self, (columns, rows): (u16, u16)) {
        self.pty.resize(Size::new(rows, columns)).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// All that it has written so far.
    pub(crate) fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    /// Waits until it has written `text` after its first `from` bytes. Returns the number of bytes up to its end.
    pub(crate) fn wait_for(&self, text: &str, from: usize) -> usize {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let written = self.written.lock().unwrap().clone();
            let mut pieces = written[from..].windows(text.len());
            if let Some(at) = pieces.position(|piece| piece == text.as_bytes()) {
                return from + at + text.len();
            }
            assert!(Instant::now() < deadline, "waited for {text:?}: {}", end_of(&String::from_utf8_lossy(&written)));
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let deadline = Instant::now() + TIMEOUT;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < deadline, "it does not end: {}", end_of(&self.written())),
            }
            thread::sleep(Duration::from_millis(10));
        };
        let after = tcgetattr(&self.slave).unwrap();
        let modes = |of: &Termios| (of.input_modes, of.output_modes, of.control_modes, of.local_modes);
        let modes_are_as_before = modes(&after) == modes(&self.before);
        self.slave.write_all(END.as_bytes()).unwrap();
        self.wait_for(END, 0);
        let written = self.written().replace(END, "");
        Ended { code: status.code(), written, modes_are_as_before }
    }
}

/// The last bytes that were written, for a message.
fn end_of(written: &str) -> String {
    const SHOWN: usize = 2000;
    let skipped = written.chars().count().saturating_sub(SHOWN);
    format!("{:?}", written.chars().skip(skipped).collect::<String>())
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
