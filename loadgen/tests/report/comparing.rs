//! Several result files: side by side, and whether one is worse.

use serde_json::{Value, json};

use crate::page_rules::text;
use crate::{Folder, run_report, stored};

/// A demo whose fixed server has this 99th percentile.
fn demo(p99_ms: f64) -> Value {
    let mut result = stored("demo");
    result["verdict"]["result"] = json!("held");
    result["verdict"]["invalid_because"] = json!([]);
    result["arms"]["fixed"]["probes"]["health_sync"]["latency_ms"]["p99"] = json!(p99_ms);
    result["arms"]["fixed"]["probes"]["health_sync"]["latency_ms"]["max"] = json!(p99_ms);
    result
}

#[test]
fn diagnoses_are_compared_by_what_was_found() {
    let folder = Folder::new("diagnoses");
    let before = stored("diagnose");
    let mut after = before.clone();
    after["diagnosis"]["streams_at_collapse"] = json!(8);
    after["diagnosis"]["limit"] = json!(8);
    let files = [("before.json", &before), ("after.json", &after)].map(|(name, result)| folder.write(name, result));
    let html = folder.path("page.html");
    let (code, said, errors) = run_report(&[&files[0], &files[1], "--html", &html]);
    assert_eq!((code, errors.as_str()), (0, ""), "{said}");
    let row = |label: &str| said.lines().find(|line| line.trim_start().starts_with(label)).unwrap().split_whitespace();
    assert_eq!(row("streams at collapse").collect::<Vec<_>>(), ["streams", "at", "collapse", "40", "8"]);
    assert!(!said.contains("health p99"), "each was loaded until it collapsed: {said}");
    assert!(text(&std::fs::read_to_string(html).unwrap()).contains("streams at collapse"));
    let (code, said, _) = run_report(&[&files[0], &files[1], "--fail-on-regression", "10"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("collapse at 8 streams, and collapse at 40 before"), "{said}");
    let (code, said, _) = run_report(&[&files[1], &files[0], "--fail-on-regression", "10"]);
    assert_eq!(code, 0, "{said}");
    let run = folder.write("run.json", &stored("run"));
    let (code, _, errors) = run_report(&[&files[0], &run]);
    assert!(code == 2 && errors.contains("only runs of the same command"), "{errors}");
}

#[test]
fn runs_stand_side_by_side_with_ratios() {
    let folder = Folder::new("beside");
    let files = [30.0, 60.0, 15.0].map(|p99| folder.write(&format!("{p99}.json"), &demo(p99)));
    let html = folder.path("page.html");
    let (code, said, errors) = run_report(&[&files[0], &files[1], &files[2], "--html", &html]);
    assert_eq!((code, errors.as_str()), (0, ""), "{said}");
    let fixed = said.split("  fixed ").nth(1).unwrap_or_else(|| panic!("{said}"));
    let p99 = fixed.lines().find(|line| line.contains("health-sync p99")).unwrap();
    let words: Vec<_> = p99.split_whitespace().collect();
    assert_eq!(words, ["health-sync", "p99", "30", "ms", "60", "ms", "2.00", "15", "ms", "0.50"]);
    let wide = said
        .lines()
        .filter(|line| !line.contains(".json") && !line.contains("The page"))
        .find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "{said}");
    let page = std::fs::read_to_string(html).unwrap();
    let text = text(&page);
    assert!(
        text.contains("ratio B/A") && text.contains("ratio C/A") && text.contains("Side by side, not judged."),
        "{text}"
    );
}

#[test]
fn a_regression_of_the_fix_fails_and_noise_does_not() {
    let folder = Folder::new("regression");
    let file = |p99: f64| folder.write(&format!("{p99}.json"), &demo(p99));
    let judged = |first: f64, other: f64, percent: &str| {
        run_report(&[&file(first), &file(other), "--fail-on-regression", percent])
    };
    let (code, said, _) = judged(30.0, 60.0, "10");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("REGRESSION") && said.contains("fixed: health-sync p99 from 30 ms to 60 ms"), "{said}");
    assert_eq!(judged(30.0, 60.0, "150%").0, 0, "it was allowed");
    assert_eq!(judged(60.0, 30.0, "0").0, 0, "it is better");
    assert_eq!(judged(1.0, 10.0, "0").0, 0, "it is noise");
    let (code, said, _) = judged(30.0, 30.0, "0");
    assert!(code == 0 && said.contains("No regression"), "{said}");

    let mut broken_is_worse = demo(30.0);
    broken_is_worse["arms"]["broken"]["probes"]["health_sync"]["latency_ms"]["p99"] = json!(1e9);
    let worse = folder.write("broken.json", &broken_is_worse);
    assert_eq!(run_report(&[&file(30.0), &worse, "--fail-on-regression", "10"]).0, 0, "the mistake may get worse");
}

#[test]
fn a_page_says_first_which_figures_are_worse() {
    let folder = Folder::new("first");
    let files = [30.0, 60.0].map(|p99| folder.write(&format!("{p99}.json"), &demo(p99)));
    let html = folder.path("page.html");
    let (code, said, _) = run_report(&[&files[0], &files[1], "--fail-on-regression", "10", "--html", &html]);
    assert_eq!(code, 1, "{said}");
    let page = std::fs::read_to_string(html).unwrap();
    let header = page.split("</header>").next().unwrap();
    assert!(header.contains("Regression: one figure is worse than in A by more than 10 %."), "{header:.3000}");
    assert!(header.contains("fixed: health-sync p99 from 30 ms to 60 ms"), "{header:.3000}");
    assert!(page.contains("2.00 ✘ worse</td>"), "it is marked in its row too");
}

#[test]
fn an_invalid_run_proves_no_regression_and_no_progress() {
    let folder = Folder::new("invalid");
    let mut invalid = demo(900.0);
    invalid["verdict"]["result"] = json!("invalid");
    let (good, invalid) = (folder.write("good.json", &demo(30.0)), folder.write("invalid.json", &invalid));
    for files in [[&good, &invalid], [&invalid, &good]] {
        let (code, said, _) = run_report(&[files[0], files[1], "--fail-on-regression", "10"]);
        assert!(code == 3 && said.contains("INVALID"), "{code}: {said}");
    }
    let html = folder.path("page.html");
    assert_eq!(run_report(&[&good, &invalid, "--html", &html]).0, 0, "without the flag it only shows");
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.split("</h1>").next().unwrap().contains("Invalid: one of the runs proves nothing"), "{page:.3000}");
}

#[test]
fn what_cannot_be_compared_is_bad_usage() {
    let folder = Folder::new("usage");
    let (demo, run) = (folder.write("demo.json", &demo(30.0)), folder.write("run.json", &stored("run")));
    let labs = folder.write("labs.json", &stored("labs"));
    for (args, expected) in [
        (&[&*demo, &*run][..], "run.json of run: only runs of the same command and lab can be compared"),
        (&[&*demo, &*labs], "labs.json: it holds several labs"),
        (&[&*demo, "--fail-on-regression", "10"], "--fail-on-regression needs at least two files"),
        (&[&*demo, "--html", "/nonexistent/folder/page.html"], "--html /nonexistent/folder/page.html: the folder"),
        (&["no-such-file.json"], "no-such-file.json"),
    ] {
        let (code, said, errors) = run_report(args);
        assert_eq!((code, said.as_str()), (2, ""), "{args:?}: {errors}");
        assert!(errors.contains(expected) && errors.lines().count() == 1, "{args:?}: {errors}");
    }
}
