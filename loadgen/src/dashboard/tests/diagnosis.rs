//! The staircase of a diagnosis, and its screen.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::sample::look;
use super::{drawn, lines_of};
use crate::dashboard::{DiagnosisFrame, Look, Staircase, draw_diagnosis, draw_staircase};
use crate::result::{Diagnosis, DiagnosisLevel, samples};

fn lines(staircase: &Staircase, (width, height): (u16, u16)) -> Vec<String> {
    let area = Rect { x: 0, y: 0, width, height };
    let mut buffer = Buffer::empty(area);
    draw_staircase(staircase, &mut buffer, area, &Look { colour: false, ..look() });
    lines_of(&buffer).into_iter().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn the_health_check_climbs_at_the_collapse_and_the_other_probes_stay_below() {
    let expected = [
        " p99 of  ── health  • kept connection  + unknown path  × timed out",
        "    10 s ┤                                                 ┊",
        "         │                                                 ╭─×─×─×─×─×─×─×─×─×─×",
        "     1 s ┤                                                 │",
        "         │                                                 │",
        "  100 ms ┤                                                 │ 40th stream",
        "         │                                                 │",
        "   10 ms ┤                                                 │",
        "         │─────────────────────────────────────────────────╯",
        "  ≤ 1 ms ┤•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+•+",
        " streams  1      2      4      8      16     32     39     40     48     64",
        " flowing  1      2      4      8      16     32     39     40     40     40",
    ];
    let lines = lines(&Staircase::from(&samples::full_pool()), (80, 12));
    assert_eq!(lines, expected, "\n{}", lines.join("\n"));
}

#[test]
fn a_probe_that_was_never_answered_is_no_fast_one() {
    let mut diagnosis = samples::none_found();
    for level in diagnosis.levels.iter_mut().skip(3) {
        let probe = level.probes.get_mut("health").unwrap();
        (probe.answered, probe.failed, probe.latency_ms) = (0, probe.sent, Default::default());
    }
    let lines = lines(&Staircase::from(&diagnosis), (80, 10));
    let text = lines.join("\n");
    assert!(lines[0].ends_with("! failed"), "{text}");
    assert!(lines[1].contains("    10 s ┤") && lines[1].contains("─!─!"), "{text}");
}

#[test]
fn a_diagnosis_without_a_limit_is_drawn_without_a_collapse_whatever_its_number() {
    let diagnosis = Diagnosis { streams_at_collapse: Some(64), ..samples::none_found() };
    let text = lines(&Staircase::from(&diagnosis), (80, 12)).join("\n");
    assert!(!text.contains('┊') && !text.contains("64th stream"), "{text}");
}

#[test]
fn many_levels_fit_and_the_last_number_stays() {
    let level = |streams| DiagnosisLevel { streams, started: streams, ..DiagnosisLevel::default() };
    for count in [0, 1, 30, 70, 400] {
        let staircase = Staircase { levels: (1..=count).map(|nth| level(nth * 40)).collect(), collapse: Some(41) };
        for size in [(80, 12), (40, 8), (200, 40), (18, 8), (3, 3)] {
            let lines = lines(&staircase, size);
            assert!(lines.iter().all(|line| line.chars().count() <= usize::from(size.0)), "{}", lines.join("\n"));
        }
    }
    let staircase = Staircase { levels: (1..=30).map(|nth| level(nth * 40)).collect(), collapse: None };
    let lines = lines(&staircase, (80, 12));
    let streams = lines.iter().find(|line| line.starts_with(" streams")).unwrap();
    assert!(streams.contains("1,200"), "{}", lines.join("\n"));
}

#[test]
fn the_screen_says_what_is_done_and_how_long_it_may_still_take() {
    let frame = DiagnosisFrame {
        server: "http://127.0.0.1:8000".to_owned(),
        step: "64 streams: watching for 5 s".to_owned(),
        seconds: 20.4,
        budget_seconds: 60.0,
        staircase: Staircase::from(&samples::full_pool()),
    };
    let plain = Look { colour: false, title: "diagnose".to_owned(), ..look() };
    for size in [(80, 24), (40, 10), (20, 5), (10, 1), (3, 2)] {
        let lines = lines_of(&drawn(size, |screen| draw_diagnosis(&frame, screen, &plain)));
        assert!(lines[0].contains("40 s") || size.0 < 8, "{}", lines.join("\n"));
    }
    let lines = lines_of(&drawn((80, 24), |screen| draw_diagnosis(&frame, screen, &plain)));
    let text = lines.join("\n");
    assert!(lines[0].starts_with(" diagnose http://127.0.0.1:8000"), "{text}");
    assert!(lines[0].trim_end().ends_with("at most 40 s left"), "{text}");
    assert_eq!(lines[1].matches('━').count(), 27, "20.4 of 60 seconds: {text}");
    assert!(lines[2].contains("watching for 5 s") && text.contains("40th stream"), "{text}");
}
