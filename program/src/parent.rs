//! Ends a child process when its parent is gone, however the parent went: also by SIGKILL, which leaves it
//! no time to stop what it started.
//!
//! The parent gives the child the reading end of a pipe as standard input and keeps the writing end. The
//! system closes that end together with the parent, and the child reads the end of its input. A parent's
//! death signal (`PR_SET_PDEATHSIG`) exists on Linux only, and follows the parent's thread.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::{env, process, thread};

/// Environment variable with which a parent says that the child's standard input is such a pipe.
pub const EXIT_WITH_PARENT: &str = "EXIT_WITH_PARENT";

/// Exit code of a child whose parent is gone.
const PARENT_GONE: i32 = 1;

/// Where [`EXIT_WITH_PARENT`] is set, ends this process as soon as the pipe that is its standard input ends.
/// Elsewhere standard input is not touched.
///
/// # Errors
/// When the thread that waits for it cannot be started.
pub fn exit_with_parent() -> io::Result<()> {
    let asked = env::var_os(EXIT_WITH_PARENT).is_some_and(|value| !value.is_empty());
    if !asked || !is_pipe(io::stdin())? {
        return Ok(());
    }
    let watch = || {
        read_to_end(&mut io::stdin().lock());
        process::exit(PARENT_GONE);
    };
    // A thread, not a task: an event loop that stands still must not keep the process alive.
    thread::Builder::new().name("parent-watch".into()).spawn(watch).map(drop)
}

/// A script between parent and child hands the variable on, but not always its standard input: what a shell
/// starts in the background reads `/dev/null`.
fn is_pipe(input: impl AsFd) -> io::Result<bool> {
    let input = File::from(input.as_fd().try_clone_to_owned()?);
    Ok(input.metadata()?.file_type().is_fifo())
}

/// Returns when nothing more can be read.
fn read_to_end(input: &mut impl Read) {
    let mut ignored = [0; 64];
    loop {
        match input.read(&mut ignored) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_told_from_other_inputs() {
        let (reader, _writer) = io::pipe().unwrap();
        assert!(is_pipe(reader).unwrap());
        assert!(!is_pipe(File::open("/dev/null").unwrap()).unwrap());
    }
}
