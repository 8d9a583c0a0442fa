//! Lines on stderr that stay whole.
//!
//! A watchdog and its worker are two processes with one stderr. `eprintln!` writes each part of its format with a call
//! of its own, so a line of the other process can end up in the middle.

use std::io::{self, Write};

/// Prints `line` and a line break with a single write. It is lost if nobody reads stderr any more: no reason to end.
pub fn print_line(line: &str) {
    // Ignored: there is nowhere left to say so.
    let _ = write_line(&mut io::stderr(), line);
}

fn write_line(output: &mut impl Write, line: &str) -> io::Result<()> {
    output.write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps what each call wrote.
    #[derive(Default)]
    struct Calls(Vec<Vec<u8>>);

    impl Write for Calls {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_and_its_end_are_one_write() {
        let mut calls = Calls::default();
        write_line(&mut calls, "server: listening on http://127.0.0.1:8080").unwrap();
        assert_eq!(calls.0, [b"server: listening on http://127.0.0.1:8080\n"]);
    }
}
