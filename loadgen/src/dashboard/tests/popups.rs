//! Boxes over the arms.

use super::sample::{demo, look};
use super::{drawn, lines_of};
use crate::dashboard::{Entry, Look, draw, draw_keys, draw_list};

fn mistakes() -> Vec<Entry> {
    let entry = |nth: usize| Entry {
        name: format!("mistake-{nth}"),
        explanation: format!(
            "the health check of mistake-{nth} hangs once as many streams are open as the pool has threads, for ever"
        ),
    };
    (0..20).map(entry).collect()
}

fn list(selected: usize, size: (u16, u16)) -> Vec<String> {
    let plain = Look { colour: false, ..look() };
    lines_of(&drawn(size, |screen| {
        draw(&demo(), screen, &plain);
        draw_list(screen, "Mistake (Enter: run it)", &mistakes(), selected, &plain);
    }))
}

#[test]
fn the_selected_entry_is_in_view_with_its_explanation_on_any_screen() {
    for size in [(80, 24), (200, 60), (40, 10)] {
        for selected in [0, 1, 10, 19] {
            let lines = list(selected, size);
            let text = lines.join("\n");
            let signs = lines.iter().filter(|line| line.contains("> mistake-")).count();
            assert_eq!(signs, 1, "{text}");
            assert!(text.contains(&format!("> mistake-{selected} ")), "{text}");
            assert!(text.contains("Mistake (Enter: run it)") && text.contains("the health check of"), "{text}");
            assert!(text.contains("ever "), "the explanation is cut:\n{text}");
            assert!(!text.contains("60 of 60") || size.0 > 80, "the arms show through:\n{text}");
        }
    }
}

#[test]
fn an_explanation_that_does_not_fit_ends_with_an_ellipsis() {
    let text = list(3, (40, 6)).join("\n");
    assert!(text.contains("> mistake-3 ") && text.contains('…') && !text.contains("ever "), "{text}");
}

#[test]
fn the_keys_fit_on_forty_columns() {
    let keys = [("PgUp PgDn", "ten streams more or less"), ("q", "stop all, and sum up")];
    let lines = lines_of(&drawn((40, 10), |screen| draw_keys(screen, "Keys", &keys, &look())));
    let inside: Vec<_> =
        lines.iter().filter(|line| line.starts_with('│')).map(|line| line.trim_matches('│').trim()).collect();
    assert_eq!(inside, ["PgUp PgDn  ten streams more or less", "q          stop all, and sum up"]);
}

#[test]
fn boxes_can_be_drawn_on_any_screen() {
    for (width, height) in (1..90).step_by(7).flat_map(|width| (1..30).step_by(3).map(move |height| (width, height))) {
        assert_eq!(list(7, (width, height)).len(), usize::from(height));
        drawn((width, height), |screen| draw_keys(screen, "Keys", &[("q", "quit")], &look()));
    }
}
