//! Where there is no screen for a dashboard, or none is wanted, there are lines; and without colour there is none.

use crate::servers::{OBJECTIVE, run, server};
use crate::{TAKES, USUAL, without_styles};

const ARGS: [&str; 4] = ["--duration", "1200ms", "--slo", OBJECTIVE];

#[tokio::test(flavor = "multi_thread")]
async fn there_are_lines_where_a_dashboard_is_not_wanted_or_of_no_use() {
    let server = server().await;
    for (flag, size, environment) in [
        (Some("--plain"), USUAL, &[][..]),
        (None, USUAL, &[("LOADGEN_PLAIN", "true")]),
        (None, USUAL, &[("TERM", "dumb")]),
        (None, (39, 24), &[]),
        (None, (80, 9), &[]),
    ] {
        let args: Vec<_> = ARGS.into_iter().chain(flag).collect();
        let ended = run(server, &args, size, environment).end();
        let what = format!("{flag:?} {size:?} {environment:?}: {:?}", ended.written);
        assert!(!ended.written.contains("\u{1b}[?"), "no mode of the terminal is changed: {what}");
        assert!(ended.modes_are_as_before, "{what}");
        let written = without_styles(&ended.written);
        assert!(written.contains("\n  1 s ") && written.contains("Verdict: "), "{what}");
        let says_why = written.contains("needs a terminal of 40×10");
        assert_eq!(says_why, size != USUAL, "{what}");
        assert!(environment != [("TERM", "dumb")] || !ended.written.contains('\u{1b}'), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_color_keeps_the_dashboard_without_colour() {
    let ended = run(server().await, &ARGS, USUAL, &[("NO_COLOR", "1")]).end();
    assert!(ended.written.contains(TAKES), "{:?}", ended.written);
    let styles = ended.written.split("\u{1b}[").filter_map(|piece| piece.split_once('m')).map(|(style, _)| style);
    let styles: Vec<_> =
        styles.filter(|style| style.bytes().all(|byte| byte.is_ascii_digit() || byte == b';')).collect();
    let is_colour = |code: &str| matches!(code.parse(), Ok(30..=38 | 40..=48 | 90..=107));
    assert!(!styles.iter().any(|style| style.split(';').any(is_colour)), "{styles:?}");
}
