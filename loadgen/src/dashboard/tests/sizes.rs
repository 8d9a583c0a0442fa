//! Screens of all sizes, and many arms.

use super::sample::{broken, demo, fixed, look, many};
use super::{lines, row_of};
use crate::dashboard::Look;
use crate::live::{ArmFrame, Frame, PoolFrame, VendorFrame};

#[test]
fn four_arms_fit_on_80_columns_and_sixteen_in_two_rows_on_200() {
    let four = lines(&many(4), &look(), (80, 24));
    assert_eq!(row_of(&four, "latency"), ["broken-0", "fixed-1", "broken-2", "fixed-3"]);
    assert_eq!(row_of(&four, "sync")[..2], ["× >10 s", "0.42 ms"]);
    let sixteen = lines(&many(16), &look(), (200, 60));
    let heads = sixteen.iter().filter(|line| line.trim_start().starts_with("latency")).count();
    assert_eq!(heads, 2, "{}", sixteen.join("\n"));
    assert_eq!(sixteen.concat().matches("40th stream").count(), 8, "{}", sixteen.join("\n"));
}

#[test]
fn sixteen_arms_are_a_table_on_80_columns() {
    let lines = lines(&many(16), &look(), (80, 24));
    for arm in many(16).arms {
        let there = lines.iter().filter(|line| line.trim_start().starts_with(&format!("{} ", arm.name))).count();
        assert_eq!(there, 1, "{}:\n{}", arm.name, lines.join("\n"));
    }
    let heads: Vec<_> = lines[2].split_whitespace().take(4).collect();
    assert_eq!(heads, ["arm", "streams", "sync", "async"]);
    assert_eq!(lines.concat().matches("40th stream").count(), 8);
}

#[test]
fn arms_that_do_not_fit_are_on_further_pages() {
    let page = |page: usize| lines(&many(16), &Look { page, ..look() }, (40, 10));
    let first = page(0);
    assert!(first[3].contains("broken-0 ") && first[7].contains("broken-4 "), "{}", first.join("\n"));
    assert_eq!(first[8].trim(), "arms 1 to 5 of 16, page 1 of 4");
    let last = page(3);
    assert!(last[3].contains("fixed-15 "), "{}", last.join("\n"));
    assert_eq!(page(4), first);
}

#[test]
fn a_number_is_shown_whole_or_not_at_all_at_any_size() {
    let vendor = VendorFrame { active: 6_172, peak_active: 7_283, started: 0, completed: 0, cancelled: 0 };
    let arm = ArmFrame {
        streams_active: 1_627,
        streams_asked: 2_738,
        chunks_per_second: 3_849.0,
        threads: Some(4_950),
        pool: Some(PoolFrame { size: 5_061, busy: 5_061, queued: 8_394 }),
        vendor: Some(vendor),
        ..broken("broken")
    };
    let frame = Frame { arms: vec![arm, fixed("fixed")], ..demo() };
    let numbers = ["1,627", "2,738", "3,849", "4,950", "5,061", "6,172", "7,283", "8,394"];
    for (width, height) in (1..130).step_by(6).flat_map(|width| (1..40).step_by(3).map(move |height| (width, height))) {
        let text = lines(&frame, &look(), (width, height)).join("\n");
        for number in numbers {
            let begun = text.matches(&number[..3]).count();
            assert_eq!(begun, text.matches(number).count(), "{number} at {width}x{height}:\n{text}");
        }
    }
}

#[test]
fn any_number_of_arms_can_be_drawn_at_any_size() {
    for arms in [0, 1, 2, 5, 16] {
        for (width, height) in
            (1..220).step_by(29).flat_map(|width| (1..70).step_by(9).map(move |height| (width, height)))
        {
            let drawn = lines(&many(arms), &look(), (width, height));
            assert_eq!(drawn.len(), usize::from(height));
        }
    }
}
