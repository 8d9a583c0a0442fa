//! Panics while a dashboard is on the terminal: the message is on the ordinary screen, after the dashboard.

use std::time::Duration;

use loadgen::report::Terminal;
use loadgen::screen::Screen;
use ratatui_core::style::Style;

use crate::pty::{Ended, OnTerminal};
use crate::{USUAL, assert_given_back, ordinary_screen};

/// This test program itself, running one of the ignored tests below.
fn run(test: &str) -> Ended {
    let args = ["--exact", &format!("panics::{test}"), "--ignored", "--nocapture"];
    OnTerminal::start(std::env::current_exe().unwrap(), &args, USUAL, &[]).end()
}

#[test]
#[ignore = "panics: started by a_panic_of_the_run_is_seen_on_the_ordinary_screen"]
fn a_run_that_panics() {
    let terminal = Terminal::stdout();
    let (screen, _keys) = Screen::take(&terminal).unwrap();
    terminal.line("a line that was kept");
    screen.show(|frame| frame.buffer_mut().set_string(0, 0, "dashboard", Style::new()));
    std::thread::sleep(Duration::from_millis(200));
    panic!("something is wrong");
}

#[test]
fn a_panic_of_the_run_is_seen_on_the_ordinary_screen() {
    let ended = run("a_run_that_panics");
    assert_given_back(&ended);
    let (_, after) = ordinary_screen(&ended);
    assert!(ended.written.contains("dashboard") && !after.contains("dashboard"), "{:?}", ended.written);
    let message = after.find("something is wrong").unwrap_or_else(|| panic!("no message: {after}"));
    assert!(after.find("a line that was kept") > Some(message), "{after}");
    assert_eq!(ended.code, Some(101));
}

#[test]
#[ignore = "panics: started by a_panic_while_drawing_ends_the_dashboard_and_not_the_run"]
fn a_painter_that_panics() {
    let terminal = Terminal::stdout();
    let (screen, _keys) = Screen::take(&terminal).unwrap();
    screen.show(|_| panic!("cannot be drawn"));
    while screen.failure().is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
    terminal.line(format!("the run goes on: {}", screen.failure().unwrap()));
}

#[test]
fn a_panic_while_drawing_ends_the_dashboard_and_not_the_run() {
    let ended = run("a_painter_that_panics");
    assert_given_back(&ended);
    let (_, after) = ordinary_screen(&ended);
    assert!(after.contains("cannot be drawn"), "{after}");
    assert!(after.contains("the run goes on: a part of this program has panicked"), "{after}");
    assert_eq!(ended.code, Some(0), "{after}");
}
