//! What `report --merge` refuses, before and after it has read the files. What it does with files of real runs is in
//! `tests/it/several_machines.rs`.

use serde_json::json;

use crate::{Folder, run_report, stored};

#[test]
fn what_cannot_be_merged_is_bad_usage() {
    let folder = Folder::new("merging");
    let old = folder.write("old.json", &stored("run"));
    let mut without_histograms = stored("run");
    without_histograms["started_unix_ms"] = json!(1_700_000_000_000_u64);
    let first = folder.write("first.json", &without_histograms);
    without_histograms["started_unix_ms"] = json!(1_700_000_000_001_u64);
    let other = folder.write("other.json", &without_histograms);
    let (demo, labs) = (folder.write("demo.json", &stored("demo")), folder.write("labs.json", &stored("labs")));
    for (args, expected) in [
        (&["--merge", &*first][..], "--merge needs at least two files"),
        (&["--merge", &first, &old], "old.json: it has no time of its start, so it cannot be merged"),
        (&["--merge", &first, &other], "first.json: it has no histogram of `"),
        (&["--merge", &first, &first], "first.json: it has the same run as "),
        (&["--merge", &first, &demo], "demo.json: it is of `loadgen demo`, and only results of `loadgen run`"),
        (&["--merge", &first, &labs], "labs.json: it holds several labs"),
        (&["--merge", &first, "no-such-file.json"], "no-such-file.json"),
        (&["--merge", &first, &other, "--out", "/nonexistent/folder/all.json"], "--out /nonexistent/folder/all.json"),
    ] {
        let (code, said, errors) = run_report(args);
        assert_eq!((code, said.as_str()), (2, ""), "{args:?}: {errors}");
        assert!(errors.contains(expected) && errors.lines().count() == 1, "{args:?}: {errors}");
    }
    for args in [&[&*first, "--out", "all.json"][..], &["--merge", &first, &other, "--fail-on-regression", "5"]] {
        assert_eq!(run_report(args).0, 2, "{args:?}");
    }
}
