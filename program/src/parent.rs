//! Ends a child process when its parent ends, even by SIGKILL, after which the parent cannot stop its children.
//!
//! The parent gives the child the reading end of a pipe as standard input and keeps the writing end. The system
//! closes that end when the parent ends, and the child then reads end of file. The alternative, `PR_SET_PDEATHSIG`,
//! exists only on Linux, and is tied to the parent's thread.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::{env, process, thread};

/// Environment variable that a parent sets if the child's standard input is such a pipe.
pub const EXIT_WITH_PARENT: &str = "EXIT_WITH_PARENT";

/// Exit code of a child whose parent has ended.
const PARENT_ENDED: i32 = 1;

/// If [`EXIT_WITH_PARENT`] is set, exits this process when the pipe on its standard input is closed. Otherwise
/// standard input is not used.
///
/// # Errors
/// The thread that reads it cannot be started.
pub fn exit_with_parent() -> io::Result<()> {
    let asked = env::var_os(EXIT_WITH_PARENT).is_some_and(|value| !value.is_empty());
    if !asked || !is_pipe(io::stdin())? {
        return Ok(());
    }
    let watch = || {
        read_to_end(&mut io::stdin().lock());
        process::exit(PARENT_ENDED);
    };
    // A thread, not a task: a blocked event loop must not keep the process alive.
    thread::Builder::new().name("parent-watch".into()).spawn(watch).map(drop)
}

/// A script between parent and child passes the variable on, but not always its standard input: a shell starts
/// background processes with `/dev/null`.
fn is_pipe(input: impl AsFd) -> io::Result<bool> {
    let input = File::from(input.as_fd().try_clone_to_owned()?);
    Ok(input.metadata()?.file_type().is_fifo())
}

/// Reads to the end of the input, or to an error.
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
    fn a_pipe_is_distinguished_from_other_inputs() {
        let (reader, _writer) = io::pipe().unwrap();
        assert!(is_pipe(reader).unwrap());
        assert!(!is_pipe(File::open("/dev/null").unwrap()).unwrap());
    }
}
