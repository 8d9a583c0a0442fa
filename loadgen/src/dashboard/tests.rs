//! What is seen on screens of several sizes.

mod diagnosis;
mod popups;
mod sample;
mod sizes;

use ratatui_core::backend::TestBackend;
use ratatui_core::buffer::Buffer;
use ratatui_core::style::Color;
use ratatui_core::terminal::{Frame as Screen, Terminal};

use self::sample::{broken, demo, fixed, look, many, rows};
use super::{Look, Message, Tone, draw, shown};
use crate::live::{ArmFrame, Frame, ProbeFrame};

/// A screen with what `paint` draws on it.
fn drawn((width, height): (u16, u16), paint: impl FnOnce(&mut Screen<'_>)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(paint).unwrap();
    terminal.backend().buffer().clone()
}

/// The screen on which `frame` is drawn.
fn buffer(frame: &Frame, look: &Look, size: (u16, u16)) -> Buffer {
    drawn(size, |screen| draw(frame, screen, look))
}

/// Its lines.
fn lines(frame: &Frame, look: &Look, size: (u16, u16)) -> Vec<String> {
    lines_of(&buffer(frame, look, size))
}

fn lines_of(buffer: &Buffer) -> Vec<String> {
    let line = |row: &[ratatui_core::buffer::Cell]| row.iter().map(|cell| cell.symbol()).collect::<String>();
    buffer.content.chunks(usize::from(buffer.area.width)).map(line).collect()
}

/// The line that begins with this label, without it, cut into the columns of the arms.
fn row_of(lines: &[String], label: &str) -> Vec<String> {
    let find = |label: &str| lines.iter().find(|line| line.trim_start().starts_with(label));
    let line = find(label).unwrap_or_else(|| panic!("no {label} in\n{}", lines.join("\n")));
    // Nothing but the lines between the arms is a line in the row of the names.
    let is_between: Vec<bool> = find("latency").unwrap().chars().map(|sign| sign == '│').collect();
    let signs: Vec<(char, bool)> = line.chars().zip(is_between).collect();
    let cells = signs.split(|(_, is_between)| *is_between).skip(1);
    cells.map(|cell| cell.iter().map(|(sign, _)| sign).collect::<String>().trim().to_owned()).collect()
}

#[test]
fn arms_stand_side_by_side_with_their_figures_below_on_80_columns() {
    let lines = lines(&demo(), &look(), (80, 24));
    assert!(lines[0].starts_with(" demo  phase 4 of 5: 60 streams"), "{}", lines[0]);
    assert!(lines[0].ends_with("2 s left in this phase, 5 s in all "), "{}", lines[0]);
    assert_eq!(lines[1].matches('━').count(), 60, "16.2 of 21 seconds: {}", lines[1]);
    assert_eq!(row_of(&lines, "latency"), ["broken pool-exhaustion", "control: no mistake", "fixed"]);
    assert_eq!(row_of(&lines, "streams"), ["60 open of 60 asked"; 3]);
    assert_eq!(row_of(&lines, "sync"), ["× timed out, >10 s", "1.3 ms", "0.42 ms"]);
    assert_eq!(row_of(&lines, "async"), ["1.1 ms", "1.2 ms", "0.40 ms"]);
    assert_eq!(row_of(&lines, "chunks/s"), ["159", "240", "240"]);
    assert_eq!(row_of(&lines, "threads"), ["44", "5", "3"]);
    assert_eq!(row_of(&lines, "CPU"), ["3%", "2%", "2%"]);
    assert_eq!(row_of(&lines, "pool"), ["40 of 40, full ███████", "0 of 40 busy ░░░░░░░░░", "-"]);
    assert_eq!(row_of(&lines, "queued"), ["187", "0", "-"]);
    assert_eq!(row_of(&lines, "vendor"), ["40 active, peak 40", "60 active, peak 60", "60 active, peak 60"]);
    assert!(
        lines[22].contains("── sync  • async  ━━ equal  × timed out  ! failed  ╌╌ waiting  ┊ collapse"),
        "{}",
        lines[22]
    );
    assert_eq!(lines[23].trim(), "q quit   ? help");
    assert!(!lines.concat().contains('…'), "nothing is cut:\n{}", lines.join("\n"));
}

#[test]
fn charts_have_labels_and_their_marks_where_the_data_are() {
    for size in [(80, 24), (200, 60)] {
        let lines = lines(&demo(), &look(), size);
        let text = lines.join("\n");
        for label in ["10 s", "1 s", "100 ms", "10 ms", "≤ 1 ms"] {
            assert_eq!(row_of(&lines, label).len(), 3, "{label}:\n{text}");
        }
        let [top, bottom] = [row_of(&lines, "10 s"), row_of(&lines, "≤ 1 ms")];
        assert!(top[0].contains('×') && !(top[1].clone() + &top[2]).contains('×'), "{text}");
        // Sync and async are level until the collapse; afterwards async goes on alone.
        assert!(bottom[0].starts_with('━') && bottom[0].ends_with('•'), "{text}");
        assert!(!bottom[2].contains('•') && bottom[2].starts_with('━'), "{text}");
        assert_eq!(text.matches("40th stream").count(), 1, "{text}");
        // 4.5 of 21 seconds, in the first arm.
        let mark = lines.iter().find_map(|line| line.chars().position(|sign| sign == '┊')).unwrap();
        let width = (f64::from(size.0) - 9.0) / 3.0 - 1.0;
        let expected = 10.0 + width * 4.5 / 21.0;
        assert!((mark as f64 - expected).abs() <= 1.0, "at {mark}, not {expected}:\n{text}");
        assert_eq!(row_of(&lines, "time")[0].split_whitespace().collect::<Vec<_>>(), ["0", "s", "21", "s"]);
    }
}

#[test]
fn a_wait_is_dashed_until_it_ends() {
    let waiting = |t_ms: f64, now_ms: f64| if t_ms < 3000.0 { 1.0 } else { now_ms - t_ms };
    let mut arm = ArmFrame { rows: rows(6000.0, waiting, |_| 40), ..broken("broken") };
    for row in arm.rows.iter_mut().filter(|row| row.t_ms >= 3000.0) {
        row.probe_waiting.insert("health_sync".to_owned(), 5);
    }
    arm.probes.insert("health_sync".to_owned(), ProbeFrame::Waiting { ms: 3000.0 });
    let frame = Frame { t_ms: 6000.0, arms: vec![arm.clone()], ..Frame::default() };
    let waits = lines(&frame, &look(), (200, 60));
    assert!(waits[2..58].concat().contains('╌'), "{}", waits.join("\n"));
    assert_eq!(row_of(&waits, "sync"), ["no answer for 3 s"]);
    arm.rows.iter_mut().for_each(|row| row.probe_waiting.clear());
    let answered = lines(&Frame { arms: vec![arm], ..frame }, &look(), (200, 60));
    assert!(!answered[2..58].concat().contains('╌'), "{}", answered.join("\n"));
}

#[test]
fn a_run_without_an_end_shows_its_last_minute_and_the_collapse_before_it() {
    let timeline = rows(100_000.0, |_, _| 1.0, |_| 60);
    let arm = ArmFrame { rows: timeline, collapse: broken("broken").collapse, ..fixed("fixed") };
    let frame = Frame { t_ms: 100_000.0, arms: vec![arm], ..Frame::default() };
    let shown = shown(&frame);
    assert_eq!(shown.arms[0].rows.first().unwrap().t_ms, 39_750.0);
    let [all, last] = [&frame, &shown].map(|frame| lines(frame, &look(), (80, 24)));
    assert_eq!(row_of(&last, "time")[0].split_whitespace().collect::<Vec<_>>(), ["40", "s", "100", "s"]);
    assert_eq!(all, last);
    assert!(last.concat().contains("◂ 40th stream"), "{}", last.join("\n"));
    assert!(!last[..22].concat().contains('┊'), "{}", last.join("\n"));
}

#[test]
fn a_fast_failure_does_not_look_like_an_answer() {
    let mut arm = fixed("fixed");
    let whole = lines(&Frame { arms: vec![arm.clone()], ..demo() }, &look(), (80, 24));
    assert!(!row_of(&whole, "≤ 1 ms")[0].contains('!'));
    for row in arm.rows.iter_mut().filter(|row| row.t_ms >= 8000.0) {
        row.probe_failed.insert("health_sync".to_owned(), 2);
    }
    let failed = lines(&Frame { arms: vec![arm], ..demo() }, &look(), (80, 24));
    let bottom = &row_of(&failed, "≤ 1 ms")[0];
    assert!(bottom.starts_with('━') && bottom.ends_with('!'), "{}", failed.join("\n"));
}

#[test]
fn without_colour_the_same_is_on_the_screen() {
    for size in [(80, 24), (200, 60), (40, 10), (20, 5)] {
        let plain = Look { colour: false, ..look() };
        assert_eq!(lines(&demo(), &plain, size), lines(&demo(), &look(), size));
        let has_colour = |look: &Look| {
            let buffer = buffer(&demo(), look, size);
            buffer.content.iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
        };
        assert_eq!([&plain, &look()].map(has_colour), [false, true], "{size:?}");
    }
}

#[test]
fn bad_is_red_and_good_is_green() {
    let (lines, buffer) = (lines(&demo(), &look(), (80, 24)), buffer(&demo(), &look(), (80, 24)));
    let colour_of = |text: &str| {
        let at = lines.iter().enumerate().find_map(|(y, line)| Some((line[..line.find(text)?].chars().count(), y)));
        let (x, y) = at.unwrap();
        buffer[(x as u16, y as u16)].fg
    };
    assert_eq!(colour_of("× timed out, >10 s"), Color::Red);
    assert_eq!(colour_of("0.42 ms"), Color::Green);
    assert_eq!(colour_of("60 open"), Color::Reset);
}

#[test]
fn forty_columns_show_streams_and_health_and_the_collapse() {
    let lines = lines(&demo(), &look(), (40, 10));
    assert!(lines[0].starts_with(" demo  ") && lines[0].ends_with("5 s left "), "{}", lines[0]);
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&lines[2]), ["arm", "streams", "sync", "async", "pool"]);
    assert_eq!(words(&lines[3]), ["broken", "60/60", "×", ">10", "s", "1.1ms", "40/40"]);
    assert_eq!(words(&lines[5]), ["fixed", "60/60", "0.4ms", "0.4ms", "-"]);
    assert_eq!(lines[6].trim(), "broken: health collapsed, 40th stream", "{}", lines.join("\n"));
    assert_eq!(lines[9].trim(), "q quit   ? help");
}

#[test]
fn twenty_columns_have_a_line_an_arm() {
    let of_demo = lines(&demo(), &look(), (20, 5));
    assert_eq!(
        of_demo.iter().map(|line| line.trim()).collect::<Vec<_>>(),
        ["broken 60 × >10 s", "control 60 1.3ms", "fixed 60 sync 0.4ms", "", ""]
    );
    let of_many = lines(&many(16), &look(), (20, 5));
    assert_eq!((of_many[3].trim(), of_many[4].trim()), ("fixed-3 60 0.4ms", "+12 more"));
    let one = lines(&demo(), &look(), (60, 1));
    assert_eq!(one[0].trim(), "broken 60 open, sync × >10 s");
}

#[test]
fn a_run_that_is_over_says_its_outcome_and_one_without_arms_what_it_waits_for() {
    let outcome = Message { text: "HELD: all claims and preconditions met".to_owned(), tone: Tone::Good };
    let lines_of = |frame: &Frame, outcome: Option<Message>| lines(frame, &Look { outcome, ..look() }, (80, 24));
    let over = lines_of(&demo(), Some(outcome));
    assert_eq!(over[1].trim(), "HELD: all claims and preconditions met");
    assert!(over[0].ends_with("17 s since the start ") && !over[0].contains("phase"), "{}", over[0]);
    let starting = lines_of(&Frame::default(), None);
    assert!(starting.concat().contains("Starting the programs."), "{}", starting.join("\n"));
}

#[test]
fn an_arm_without_a_timeline_says_so() {
    let arms = vec![ArmFrame { rows: Vec::new(), ..fixed("fixed") }, broken("broken")];
    let lines = lines(&Frame { arms, ..demo() }, &look(), (80, 24));
    assert_eq!(lines.concat().matches("no probe has ended yet").count(), 1, "{}", lines.join("\n"));
}

/// Prints screens, to look at: `cargo test -p loadgen --lib -- --ignored --nocapture print_screens`.
#[test]
#[ignore = "for people"]
fn print_screens() {
    for (frame, size) in [
        (demo(), (80, 24)),
        (demo(), (120, 30)),
        (many(4), (80, 24)),
        (many(16), (200, 60)),
        (many(16), (80, 24)),
        (demo(), (40, 10)),
        (demo(), (20, 5)),
    ] {
        println!("{size:?}\n{}", lines(&frame, &look(), size).join("\n"));
    }
}
