//! What stands on the page of a run, and what `report` prints of it.

use serde_json::{Value, json};

use crate::page_rules::{check, text};
use crate::{Folder, STORED, page, run_report, stored};

#[test]
fn every_stored_result_has_a_page_by_the_rules() {
    for name in STORED {
        let result = stored(name);
        check(&page(&result), &result);
    }
}

#[test]
fn an_invalid_run_says_so_first_and_in_words() {
    let mut result = stored("demo");
    let why = ["the pressure was missing: at most 3 of 40 streams were open", "the generator itself lagged"];
    result["verdict"]["result"] = json!("invalid");
    result["verdict"]["invalid_because"] = json!(why);
    let page = page(&result);
    check(&page, &result);
    let text = text(&page);
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("'{what}' is not in {text}"));
    assert!(
        at("Invalid: no conclusion") < at(why[0]) && at(why[0]) < at(why[1]) && at(why[1]) < at("streams open, the")
    );
    assert!(page.contains("<title>loadgen demo"), "{page:.2000}");
}

#[test]
fn a_claim_that_is_not_met_is_named_first_with_its_figures() {
    let mut result = stored("demo");
    result["verdict"]["result"] = json!("not held");
    let claim = &mut result["verdict"]["claims"][0];
    claim["held"] = json!(false);
    let name = claim["name"].as_str().unwrap().to_owned();
    let page = page(&result);
    check(&page, &result);
    let header = page.split("</header>").next().unwrap();
    assert!(header.contains("1 is not met.") && header.contains(&format!("{name}: measured")), "{header:.3000}");
}

#[test]
fn a_page_says_how_to_repeat_its_run_on_which_machine_and_with_which_parameters() {
    let mut result = stored("run");
    result["command_line"] = json!("loadgen run --url http://127.0.0.1:8001 --slo 'health.p99<100ms'");
    let text = text(&page(&result));
    assert!(text.contains("loadgen run --url http://127.0.0.1:8001 --slo 'health.p99<100ms'"), "{text}");
    for expected in [result["environment"]["os"].as_str().unwrap(), "schedule lag", "concurrency", "url"] {
        assert!(text.contains(expected), "'{expected}' is not in {text}");
    }
}

#[test]
fn a_run_without_a_stream_a_probe_or_a_vendor_still_has_a_page() {
    let mut result = stored("run");
    for field in ["probes", "timeline", "phases"] {
        result["target"][field] = if field == "probes" { json!({}) } else { json!([]) };
    }
    result["target"]["baseline"] = json!({"probes": {}});
    result["target"]["vendor"] = Value::Null;
    result["target"]["process"] = Value::Null;
    result["parameters"] = json!({});
    check(&page(&result), &result);
}

#[test]
fn the_page_of_a_diagnosis_begins_with_what_was_found_and_draws_the_staircase() {
    let mut result = stored("diagnose");
    let html = page(&result);
    check(&html, &result);
    let header = html.split("</header>").next().unwrap();
    assert!(header.contains("Collapse at 40 streams: each stream holds a thread of a pool."), "{header:.3000}");
    assert!(
        header.contains(result["diagnosis"]["finding"].as_str().unwrap().split('`').next().unwrap()),
        "{header:.3000}"
    );
    let text = text(&html);
    for expected in ["inner_pool", "40th stream", "flowing", "How to repeat it", "Evidence", "What to change"] {
        assert!(text.contains(expected), "'{expected}' is not in {text}");
    }
    for (id, of) in [("staircase", "<svg"), ("evidence", "<li>"), ("advice", "<code>loadgen lab ")] {
        let section = html.split(&format!("<section id=\"{id}\"")).nth(1).unwrap().split("</section>").next().unwrap();
        assert!(section.contains(of), "{id}: {section:.2000}");
    }
    result["verdict"]["result"] = json!("invalid");
    result["verdict"]["invalid_because"] = json!(["the generator itself lagged"]);
    check(&page(&result), &result);
}

#[test]
fn report_prints_the_verdict_and_the_tables_again() {
    let folder = Folder::new("again");
    for name in STORED {
        let file = folder.write(&format!("{name}.json"), &stored(name));
        let (code, said, errors) = run_report(&[&file]);
        assert_eq!((code, errors.as_str()), (0, ""), "{said}");
        if name == "diagnose" {
            assert!(said.contains("Collapse at 40 streams") && said.contains(" flowing "), "{said}");
        } else {
            assert!(said.contains("Verdict: ") || said.contains("Not judged"), "{said}");
            assert!(said.contains("time to answer"), "{said}");
        }
        // The line of an invalid lab has its whole reason.
        let mut lines = said.lines().filter(|line| !line.contains(" invalid "));
        assert!(lines.all(|line| line.chars().count() <= 80), "{said}");
        let html = folder.path("page.html");
        let (code, said, _) = run_report(&[&file, "--html", &html]);
        assert_eq!((code, said.trim()), (0, &*format!("The page:    {html}")));
        check(&std::fs::read_to_string(&html).unwrap(), &stored(name));
    }
}
