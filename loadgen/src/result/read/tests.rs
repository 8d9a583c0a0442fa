//! Reading results that nobody would write by hand: damaged, foreign, or of another version.

mod files;
mod properties;

use serde_json::{Value, json};

use super::*;

/// Real files, as `--out` wrote them.
const RUN: &str = include_str!("../../../tests/results/run.json");
const DEMO: &str = include_str!("../../../tests/results/demo.json");
const LABS: &str = include_str!("../../../tests/results/labs.json");
const MERGED: &str = include_str!("../../../tests/results/merged.json");
const DIAGNOSE: &str = include_str!("../../../tests/results/diagnose.json");

/// What is said of `json`, in one line that a terminal can show.
fn said(json: impl AsRef<[u8]>) -> String {
    let said = parse(json.as_ref()).expect_err("it is no result").to_string();
    assert!(!said.chars().any(char::is_control) && said.len() < 1000, "{said}");
    said
}

/// `json` with another value at `pointer`, without spaces.
fn changed(json: &str, pointer: &str, value: Value) -> String {
    let mut result: Value = serde_json::from_str(json).expect("it is JSON");
    *result.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    result.to_string()
}

/// `json` without the field `pointer/field`.
fn without(json: &str, pointer: &str, field: &str) -> String {
    let mut result: Value = serde_json::from_str(json).expect("it is JSON");
    let parent = result.pointer_mut(pointer).and_then(Value::as_object_mut).expect("an object");
    assert!(parent.remove(field).is_some(), "no {pointer}/{field}");
    result.to_string()
}

#[test]
fn results_of_all_kinds_are_read() {
    for (json, command, arms) in [(RUN, "run", 0), (DEMO, "demo", 4), (DIAGNOSE, "diagnose", 0)] {
        let Ok(ResultFile::Run(run)) = parse(json.as_bytes()) else {
            panic!("{command}: {:?}", parse(json.as_bytes()))
        };
        assert_eq!((run.command.as_str(), run.arms.len()), (command, arms));
        assert_eq!(run.target.is_some(), arms == 0);
    }
    let Ok(ResultFile::Labs(labs)) = parse(LABS.as_bytes()) else { panic!("{:?}", parse(LABS.as_bytes())) };
    assert!(labs.labs.len() >= 2 && labs.labs.values().all(|run| !run.arms.is_empty()));
}

#[test]
fn what_is_read_is_what_was_written() {
    for json in [RUN, DEMO, LABS, DIAGNOSE, MERGED] {
        let written: Value = serde_json::from_str(json).expect("it is JSON");
        let read = match parse(json.as_bytes()).expect("it is a result") {
            ResultFile::Run(run) => serde_json::to_value(run),
            ResultFile::Labs(labs) => serde_json::to_value(labs),
        };
        assert_eq!(read.expect("it is JSON"), written);
    }
}

#[test]
fn what_is_no_result_is_called_what_it_is() {
    for (json, what) in [
        ("", "it is empty"),
        (" \n\t ", "it is empty"),
        ("<!doctype html><p>", "it is a page, not JSON"),
        ("hello", "it is no JSON: expected value at line 1, column 1"),
        ("\u{feff}{}", "it is no JSON"),
        ("{} {}", "it is no JSON: trailing characters at line 1, column 4"),
        ("[1]", "no result of loadgen: it is no object"),
        ("null", "no result of loadgen: it is no object"),
        ("{}", "no result of loadgen: it has no `schema_version`"),
        (r#"{"schema_version":1}"#, "no result of loadgen: it has no `command`"),
        (r#"{"schema_version":"1"}"#, "its `schema_version` is no number of a version"),
        (r#"{"schema_version":-1}"#, "its `schema_version` is no number of a version"),
        (r#"{"schema_version":1,"command":"run"}"#, "environment: is missing"),
        (r#"{"schema_version":1,"command":"labs"}"#, "environment: is missing"),
    ] {
        assert!(said(json).contains(what), "{json}: {}", said(json));
    }
    assert!(said([b'{', b'"', 0xff, b'"', b':', b'1', b'}']).contains("it is no JSON"));
}

#[test]
fn another_version_is_refused_with_what_to_do() {
    for (version, what) in [(SCHEMA_VERSION + 1, "update loadgen"), (0, "run the command again with --out")] {
        // Whatever else is in it: another version may have other fields.
        let text = json!({"schema_version": version, "new": [1]}).to_string();
        for json in [changed(RUN, "/schema_version", version.into()), text] {
            let said = said(json);
            assert!(said.contains(&format!("schema_version {version}")) && said.contains(what), "{said}");
        }
    }
    let name = |labs: &Value| labs["labs"].as_object().and_then(|labs| labs.keys().next().cloned()).expect("a lab");
    let one = format!("/labs/{}/schema_version", name(&serde_json::from_str(LABS).expect("it is JSON")));
    assert!(said(changed(LABS, &one, 7.into())).contains("schema_version 7"));
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_its_place() {
    let lag = "/self/schedule_lag_ms/p50";
    for (pointer, value, what) in [
        (lag, Value::Null, "self.schedule_lag_ms.p50: found null, needs a number (line 1, column "),
        (lag, "fast\u{1b}[31m".into(), "self.schedule_lag_ms.p50: found string \"fast"),
        ("/target/streams/requested", (-1).into(), "found integer `-1`, needs a whole number from 0"),
        ("/target/streams/requested", 1.5.into(), "found floating point `1.5`, needs a whole number from 0"),
        ("/target/timeline", json!({}), "target.timeline: found an object, needs a list"),
        ("/verdict", json!([]), "verdict: "),
        ("/verdict/result", "perhaps".into(), "verdict.result: unknown variant `perhaps`"),
    ] {
        let said = said(changed(RUN, pointer, value));
        assert!(said.contains(what), "{pointer}: {said}");
    }
    let said_without = |pointer, field| said(without(RUN, pointer, field));
    assert!(said_without("/target/streams", "requested").contains("target.streams.requested: is missing"));
    assert!(said_without("", "self").starts_with("self: is missing"));
}

#[test]
fn numbers_that_json_does_not_have_are_named() {
    for value in ["NaN", "-NaN", "nan", "Infinity", "-Infinity", "inf", "1e999", "-1e999"] {
        let json = changed(RUN, "/self/schedule_lag_ms/p50", "here".into()).replace("\"here\"", value);
        assert!(said(&json).starts_with(&format!("{value} at line 1, column ")), "{value}: {}", said(&json));
    }
}

#[test]
fn a_result_without_its_servers_is_refused() {
    let none = without(RUN, "", "target");
    assert!(said(&none).starts_with("it has neither `arms` nor a `target`"), "{}", said(&none));
    let none = said(changed(DEMO, "/arms", json!({})));
    assert!(none.starts_with("it has neither `arms` nor a `target`"), "{none}");
    let one_less = said(without(DEMO, "/arms", "fixed"));
    assert!(one_less.starts_with("the arm `fixed` is missing, and the claim '"), "{one_less}");
    let no_labs = changed(LABS, "/labs", json!({}));
    assert!(said(&no_labs).starts_with("it has no labs"), "{}", said(&no_labs));
    let reasons = changed(&no_labs, "/verdict/invalid_because", json!(["a: its server did not start"]));
    assert!(parse(reasons.as_bytes()).is_ok(), "{:?}", parse(reasons.as_bytes()));
}

#[test]
fn a_diagnosis_without_what_was_found_is_refused() {
    for field in ["diagnosis", "target"] {
        let said = said(without(DIAGNOSE, "", field));
        assert!(said.contains("`diagnosis`") || said.starts_with("it has neither"), "{field}: {said}");
    }
    for (pointer, value, what) in [
        ("/diagnosis/kind", "slow".into(), "diagnosis.kind: unknown variant `slow`"),
        ("/diagnosis/confidence", 3.into(), "diagnosis.confidence: "),
        ("/diagnosis/limit", "40".into(), "diagnosis.limit: found string \"40\", needs a whole number from 0"),
        ("/diagnosis/evidence", "none".into(), "diagnosis.evidence: found string \"none\", needs a list"),
        ("/diagnosis/levels/0/streams", (-1).into(), "diagnosis.levels[0].streams: found integer `-1`"),
    ] {
        let said = said(changed(DIAGNOSE, pointer, value));
        assert!(said.contains(what), "{pointer}: {said}");
    }
}

#[test]
fn a_key_that_stands_twice_is_found_wherever_it_is() {
    let twice = |key: &str| {
        let text = changed(RUN, "/command", "run".into());
        let at = text.find(&format!("\"{key}\":")).expect("the key");
        format!("{}\"{key}\":0,{}", &text[..at], &text[at..])
    };
    for (key, path) in [("command", "`command`"), ("cores", "`environment.cores`"), ("peak_active", ".peak_active`")] {
        let said = said(twice(key));
        assert!(said.contains(path) && said.contains("stands twice, the second time at line 1"), "{key}: {said}");
    }
}

#[test]
fn deep_nesting_is_refused_and_overflows_nothing() {
    let deep = |open: &str, close: &str, times: usize| format!("{}{}", open.repeat(times), close.repeat(times));
    for json in [deep("[", "]", 1_000_000), "[".repeat(1_000_000), deep("{\"a\":", "}", 100_000)] {
        assert!(said(&json).starts_with("it is nested too deeply"), "{}", said(&json));
    }
    let within = changed(RUN, "/parameters", json!({"a": "here"})).replace("\"here\"", &deep("[", "]", 200));
    assert!(said(&within).starts_with("it is nested too deeply"), "{}", said(&within));
}
