//! `demo --interactive` over the real programs: keys open streams and switch the mistake, and nothing is left behind.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::pty::OnTerminal;
use crate::test_programs::TestPrograms;
use crate::{USUAL, assert_given_back, ordinary_screen};

fn start(programs: &TestPrograms) -> OnTerminal {
    let dir = programs.path("");
    let args = ["demo", "--interactive", "--program-dir", dir.trim_end_matches('/')];
    OnTerminal::start(env!("CARGO_BIN_EXE_loadgen"), &args, USUAL, &[("NO_COLOR", "1")])
}

/// Waits until `text` is on the screen.
fn see(running: &OnTerminal, text: &str) {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let screen = screen(&running.written());
        if screen.contains(text) {
            return;
        }
        assert!(Instant::now() < deadline, "waited for {text:?}:\n{screen}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What is on the screen after `written`: the dashboard writes what has changed, and goes to where that is.
fn screen(written: &str) -> String {
    let (columns, rows) = (usize::from(USUAL.0), usize::from(USUAL.1));
    let mut cells = vec![vec![' '; columns]; rows];
    let (mut x, mut y) = (0, 0);
    for (nth, piece) in written.split('\u{1b}').enumerate() {
        let command = if nth == 0 { "" } else { piece };
        let end = command.find(|sign: char| sign.is_ascii_alphabetic()).map_or(0, |end| end + 1);
        let (command, text) = piece.split_at(end);
        match command.strip_prefix('[').and_then(|command| command.split_at_checked(command.len() - 1)) {
            Some((place, "H")) => {
                let place = place.split_once(';').and_then(|(y, x)| Some((y.parse().ok()?, x.parse().ok()?)));
                (y, x) = place.map_or((0, 0), |(y, x): (usize, usize)| (y - 1, x - 1));
            }
            Some(("2", "J")) => cells.iter_mut().for_each(|row| row.fill(' ')),
            _ => {}
        }
        for sign in text.chars() {
            if let Some(cell) = cells.get_mut(y).and_then(|row| row.get_mut(x)) {
                *cell = sign;
            }
            x += 1;
        }
    }
    cells.into_iter().map(|row| row.into_iter().collect::<String>() + "\n").collect()
}

#[test]
fn keys_open_streams_and_switch_the_mistake_and_what_was_found_stays() {
    let programs = TestPrograms::beside_others("interactive");
    let mut running = start(&programs);
    see(&running, "pool-exhaustion: ");
    running.press("3");
    see(&running, "Streams: 3_");
    running.press("\r");
    see(&running, "3 open of 3 asked");
    running.press("-");
    see(&running, "2 open of 2 asked");
    // The one after it in the list.
    running.press("m");
    see(&running, "> pool-exhaustion");
    running.press("\u{1b}[B");
    see(&running, "> pool-per-chunk");
    running.press("\r");
    see(&running, "broken: pool-per-chunk");
    running.press("q");
    let ended = running.end();
    assert_given_back(&ended);
    assert_eq!(ended.code, Some(0));
    let (_, after) = ordinary_screen(&ended);
    assert!(after.contains("broken-server with pool-exhaustion, up to 3 streams: "), "{after}");
    assert!(after.contains("fixed-server, up to 3 streams: "), "{after}");
    assert!(after.contains("Nothing was judged"), "{after}");
    programs.wait_until_gone();
}

#[test]
fn a_signal_ends_it_and_what_was_found_stays() {
    let programs = TestPrograms::beside_others("interactive-signal");
    let mut running = start(&programs);
    see(&running, "pool-exhaustion: ");
    running.press("+");
    see(&running, "1 open of 1 asked");
    running.signal(Signal::TERM);
    let ended = running.end();
    assert_given_back(&ended);
    let (_, after) = ordinary_screen(&ended);
    assert!(after.contains("up to 1 stream: ") && after.contains("stopped by SIGTERM"), "{after}");
    assert_eq!(ended.code, Some(3), "{after}");
    programs.wait_until_gone();
}

#[test]
fn without_a_terminal_it_says_what_it_needs() {
    let programs = TestPrograms::beside_others("interactive-pipe");
    let output = programs.run(&["demo", "--interactive"]);
    assert_eq!(output.code(), Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("--interactive needs a terminal"), "{}", output.stderr);
}
