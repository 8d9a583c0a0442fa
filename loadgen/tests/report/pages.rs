//! What stands on the page of a run, and what `report` prints of it.

use serde_json::{Value, json};

use crate::page_rules::{check, elements, parsed, text};
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
fn the_page_of_a_diagnosis_explains_its_words_as_it_means_them() {
    let mut result = stored("diagnose");
    result["diagnosis"]["lab"] = json!("db-held-during-call");
    result["verdict"]["claims"][0]["name"] = json!("streams held as when idle");
    let html = page(&result);
    let lists = html.split("<summary>Words explained: ").skip(1).filter_map(|rest| rest.split("</summary>").next());
    let words: Vec<_> = lists.flat_map(|list| list.split(", ")).collect();
    for other_sense in ["held", "claim", "arm"] {
        assert!(!words.contains(&other_sense), "{other_sense}: {words:?}");
    }
    let collapse = html.split("<dt>collapse</dt>").nth(1).unwrap().split("</dd>").next().unwrap();
    assert!(collapse.contains("smallest number of streams"), "{collapse}");
    assert!(words.contains(&"objective") && words.contains(&"p99"), "{words:?}");
}

/// The cells of each row of the table with this caption, its head first.
fn rows_of(page: &str, caption: &str) -> Vec<Vec<String>> {
    let document = parsed(page);
    let is_it = |table: &roxmltree::Node| table.descendants().any(|node| node.text() == Some(caption));
    let table = elements(&document).filter(|element| element.has_tag_name("table")).find(is_it).unwrap();
    let rows = table.descendants().filter(|node| node.has_tag_name("tr"));
    let text = |cell: roxmltree::Node| {
        cell.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect()
    };
    rows.map(|row| row.children().filter(|node| node.is_element()).map(text).collect()).collect()
}

#[test]
fn each_of_several_servers_has_the_times_that_were_measured_of_it_and_no_others() {
    let mut result = stored("run");
    let streams = result["target"]["streams"].clone();
    let mut failed = streams.clone();
    for times in ["latency_ms", "time_to_first_token_ms"] {
        failed[times] = json!({"p50": 0.0, "p90": 0.0, "p99": 0.0, "max": 0.0});
    }
    let server =
        |port: u16, streams: &Value| json!({"url": format!("http://h:{port}"), "streams": streams, "probes": {}});
    result["target"]["targets"] = json!([server(1, &streams), server(2, &failed)]);
    let measured = |result: &Value| -> Vec<(String, bool, String)> {
        let rows = rows_of(&page(result), "Each server").into_iter().filter(|row| row[0].ends_with(", 99 %"));
        rows.map(|row| (row[0].clone(), row[1].ends_with('s'), row[2].clone())).collect()
    };
    assert_eq!(measured(&result), [("first token, 99 %".to_owned(), true, "–".to_owned())]);
    result["parameters"]["whole_answers"] = json!(true);
    assert_eq!(measured(&result), [("answered call, 99 %".to_owned(), true, "–".to_owned())]);
    let requested = rows_of(&page(&result), "Each server").into_iter().find(|row| row[0] == "requested").unwrap();
    assert!(requested[1] == requested[2] && requested[1] != "0", "{requested:?}");
}

#[test]
fn the_table_of_a_diagnosis_has_the_probes_in_the_order_of_the_legend() {
    let mut result = stored("diagnose");
    for level in result["diagnosis"]["levels"].as_array_mut().unwrap() {
        level["probes"]["answers"] = level["probes"]["health"].clone();
    }
    let head = rows_of(&page(&result), "Each number of streams, and the p99 of each probe").remove(0);
    assert!(head.ends_with(&["health", "answers", "kept connection", "unknown path"].map(str::to_owned)), "{head:?}");
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
