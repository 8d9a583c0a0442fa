//! Tests of whole charts: that they are XML, that nothing from outside gets out of its place, and that they show what
//! is in the result.

mod staircase;

use std::time::Duration;

use roxmltree::{Document, Node};
use serde_json::{Value, json};

use super::*;
use crate::measure::Latencies;
use crate::result::{Percentile, RunResult};
use crate::traffic::Schedule;

const PROBE: &str = "health_sync";

/// A run of 20 s: 39 streams from 2 s on, the 40th at 4 s, from which on probes of the broken server time out for six
/// seconds, then 60.
fn demo() -> RunResult {
    let streams = |at: u64| match at {
        0..8 => 0,
        8..16 => 39,
        16..24 => 40,
        _ => 60,
    };
    let rows = |broken: bool, most: u64| -> Vec<Value> {
        let row = |at: u64| {
            let (hangs, timed_out) = (broken && at >= 16, broken && (16..40).contains(&at));
            let latency = if timed_out {
                10_000.0
            } else if hangs {
                10_000.0 - 50.0 * at as f64
            } else {
                0.4
            };
            json!({"t_ms": at * 250, "streams_active": if at < 60 { streams(at) } else { most }, "chunks": 0,
                   "probe_max_ms": {PROBE: latency, "health_async": 0.5},
                   "probe_timed_out": {PROBE: u64::from(timed_out)},
                   "cpu_cores": null, "rss_bytes": null, "threads": null, "fds": null})
        };
        (0..80).map(row).collect()
    };
    let probes = |p90: f64, max: f64, timed_out: u64| {
        let quantiles = json!({"p50": 0.5, "p90": p90, "p99": max, "max": max});
        json!({PROBE: {"sent": 220, "ok": 220 - timed_out, "failed": 0, "timed_out": timed_out,
                       "latency_ms": quantiles, "latency_from_sent_ms": quantiles}})
    };
    let streams = json!({"requested": 60, "peak_active": 60, "completed": 60, "failed": 0, "truncated": 0, "left": 0,
        "without_token": 0, "first_token_late": 0, "time_to_first_token_ms": {"p50": 1.0, "p90": 1.0, "p99": 1.0, "max": 1.0},
        "time_to_first_token_from_sent_ms": {"p50": 1.0, "p90": 1.0, "p99": 1.0, "max": 1.0},
        "inter_token_ms": {"p50": 1.0, "p90": 1.0, "p99": 1.0, "max": 1.0}, "chunks": 1, "chunks_per_second": 1.0});
    let phase = |name: &str, from: f64, to: f64| json!({"name": name, "from_ms": from, "to_ms": to, "probes": {}});
    let arm = |side: &str, rows: Vec<Value>, probes: Value| {
        let phases = [phase("baseline", 0.0, 2000.0), phase("loaded", 6000.0, 15_000.0)];
        json!({"side": side, "program": "", "streams": streams, "probes": probes, "baseline": {"probes": {}},
               "phases": phases, "vendor": null, "process": null, "timeline": rows})
    };
    let text = json!({
        "schema_version": 1, "command": "demo", "parameters": {},
        "environment": {"cores": 2, "memory_bytes": 8_000_000_000_u64, "os": "an OS"},
        "arms": {"broken": arm("broken", rows(true, 60), probes(10_000.0, 10_000.0, 44)),
                 "control": arm("control", rows(false, 60), probes(1.0, 3.0, 0)),
                 "fixed": arm("fixed", rows(false, 2021), probes(1.0, 2.0, 0))},
        "self": {"schedule_lag_ms": {"p50": 1.0, "p90": 1.0, "p99": 1.0, "max": 1.0}},
        "verdict": {"result": "held", "claims": []}
    });
    serde_json::from_value(text).unwrap()
}

fn parsed(svg: &str) -> Document<'_> {
    Document::parse(svg).unwrap_or_else(|error| panic!("{error} in\n{svg}"))
}

fn with_class<'a>(document: &'a Document, class: &str) -> Vec<Node<'a, 'a>> {
    let has = |node: &Node| node.attribute("class").is_some_and(|has| has.split(' ').any(|word| word == class));
    document.descendants().filter(has).collect()
}

fn texts<'a>(document: &'a Document) -> Vec<&'a str> {
    document.descendants().filter(|node| node.has_tag_name("tspan")).filter_map(|node| node.text()).collect()
}

/// Both charts and the pictures, in all schemes.
fn charts(result: &RunResult) -> Vec<String> {
    let probes = probes(result);
    let of = |probe: &&str| {
        let schemes = [Scheme::Page, Scheme::Light, Scheme::Dark];
        schemes.map(|scheme| [timeline_svg(result, probe, scheme), distribution_svg(result, probe, scheme)]).concat()
    };
    let pictures = [Scheme::Light, Scheme::Dark].map(|scheme| picture(result, scheme));
    probes.iter().flat_map(of).chain(pictures).flatten().collect()
}

#[test]
fn whatever_a_result_says_stays_text() {
    const HOSTILE: &str = r#"</text><script>alert(1)</script>"'&-->]]>"#;
    let mut result = demo();
    result.command = HOSTILE.to_owned();
    result.environment.os = format!("{HOSTILE}\u{0}\u{1b}--");
    let mut hostile = result.arms["broken"].clone();
    hostile.phases[1].title = Some(HOSTILE.to_owned());
    for row in &mut hostile.timeline {
        let latency = row.probe_max_ms[PROBE];
        row.probe_max_ms.insert(HOSTILE.to_owned(), latency);
        row.probe_failed.insert(HOSTILE.to_owned(), 1);
    }
    hostile.probes.insert(HOSTILE.to_owned(), hostile.probes[PROBE].clone());
    result.arms.insert(HOSTILE.to_owned(), hostile);
    let charts = charts(&result);
    assert!(charts.len() >= 2 + 3 * 5, "{} charts", charts.len());
    for svg in &charts {
        let document = parsed(svg);
        assert!(!document.descendants().any(|node| node.has_tag_name("script")), "{svg}");
        assert!(texts(&document).contains(&HOSTILE), "{svg}");
    }
}

#[test]
fn the_same_result_makes_the_same_picture() {
    assert_eq!(charts(&demo()), charts(&demo()));
    assert!(charts(&demo()).iter().all(|svg| !svg.contains("NaN") && !svg.contains("inf")));
}

#[test]
fn the_collapse_is_marked_where_it_was_with_its_stream() {
    let svg = timeline_svg(&demo(), PROBE, Scheme::Light).unwrap();
    let document = parsed(&svg);
    assert!(texts(&document).contains(&"40th stream") && texts(&document).contains(&"collapse of broken"), "{svg}");
    let [moment] = with_class(&document, "moment")[..] else { panic!("not one collapse:\n{svg}") };
    assert!(moment.attribute("class").unwrap().contains("broken"));
    // The row that began after 4 of 20 s.
    let x = layout::PLOT.0 + (layout::PLOT.1 - layout::PLOT.0) * 4.125 / 20.0;
    assert!(moment.attribute("d").unwrap().starts_with(&format!("M{x:.1} ")), "{moment:?} is not at {x}");
    let label = document.root_element().attribute("aria-label").unwrap();
    assert!(label.contains("broken: slowest 10 s, some timed out, collapse at 4.0 s: 40th stream"), "{label}");
    assert!(label.contains(" fixed: slowest 0.40 ms, up to 2021 streams open."), "{label}");
}

#[test]
fn what_timed_out_has_crosses_and_what_failed_has_triangles() {
    let mut result = demo();
    let count = |result: &RunResult, class: &str| {
        let svg = timeline_svg(result, PROBE, Scheme::Page).unwrap();
        let document = parsed(&svg);
        let marks = with_class(&document, class);
        marks.iter().filter(|node| node.attribute("class").is_some_and(|has| has.starts_with("mark"))).count()
    };
    // 6 s are 167 pixels, and marks 13 apart.
    assert_eq!((count(&result, "broken-0"), count(&result, "fixed-0")), (12, 0));
    result.arms.get_mut("fixed").unwrap().timeline[9].probe_failed.insert(PROBE.to_owned(), 3);
    assert_eq!(count(&result, "fixed-0"), 1);
    let svg = timeline_svg(&result, PROBE, Scheme::Page).unwrap();
    let document = parsed(&svg);
    let texts = texts(&document);
    assert!(texts.contains(&"timed out after 10 s") && texts.contains(&"failed"), "{texts:?}");
}

/// The width of a piece of text in the widest of the usual fonts.
fn wide(piece: Node) -> f64 {
    let has = |class| piece.attribute("class").is_some_and(|has| has.split(' ').any(|word| word == class));
    let size = if has("small") { 16.5 } else { 18.0 };
    elements::width(piece.text().unwrap_or_default(), size) * if has("strong") { 1.1 } else { 1.0 }
}

#[test]
fn every_chart_has_titles_units_and_nothing_beyond_its_edges() {
    let mut result = demo();
    for row in result.arms.values_mut().flat_map(|arm| &mut arm.timeline) {
        row.probe_max_ms.insert("a probe with a name that is longer than a line".to_owned(), 10_000.0);
    }
    for svg in charts(&result) {
        let document = parsed(&svg);
        let texts = texts(&document);
        assert!(texts.iter().any(|text| text.contains("log scale")) && texts.contains(&"1 ms"), "{texts:?}");
        let unit = |text: &&&str| ["seconds since the start", "share of the checks that took no longer"].contains(text);
        assert_eq!(texts.iter().filter(unit).count(), 1, "{texts:?}");
        nothing_is_beyond_the_edges(&document);
    }
}

fn nothing_is_beyond_the_edges(document: &Document) {
    for text in document.descendants().filter(|node| node.has_tag_name("text")) {
        let said: String = text.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect();
        let (x, width) = (text.attribute("x").unwrap().parse::<f64>().unwrap(), text.children().map(wide).sum::<f64>());
        let (from, to) = match text.attribute("text-anchor").unwrap() {
            "start" => (x, x + width),
            "middle" => (x - width / 2.0, x + width / 2.0),
            _ => (x - width, x),
        };
        assert!(from >= 0.0 && to <= layout::WIDTH, "'{said}' is from {from} to {to}");
    }
}

#[test]
fn an_arm_with_far_more_streams_leaves_the_others_visible() {
    let svg = timeline_svg(&demo(), PROBE, Scheme::Page).unwrap();
    let document = parsed(&svg);
    let texts = texts(&document);
    assert!(texts.contains(&"fixed: up to 2,021 ↑") && texts.contains(&"60"), "{texts:?}");
    // Up to the edge, and not along it.
    let lines = with_class(&document, "fixed-0");
    let beyond = lines.iter().filter_map(|line| line.attribute("d")).filter(|line| line.matches('M').count() > 5);
    assert_eq!(beyond.count(), 1, "{lines:?}");
}

#[test]
fn a_distribution_shows_its_steps_or_says_what_little_is_known() {
    let mut result = demo();
    let dots = |result: &RunResult| {
        let svg = distribution_svg(result, PROBE, Scheme::Page).unwrap();
        let document = parsed(&svg);
        let note = texts(&document).iter().any(|text| text.contains("only the dots are known"));
        (document.descendants().filter(|node| node.has_tag_name("circle")).count(), note)
    };
    // Of each, four are known; three of the broken server's are time-outs.
    assert_eq!(dots(&result), (4 * 3 - 3, true));
    for arm in result.arms.values_mut() {
        let points = [(50.0, 0.4), (80.0, 0.5), (100.0, 10_000.0)].map(|(percent, ms)| Percentile { percent, ms });
        arm.probes.get_mut(PROBE).unwrap().distribution = points.to_vec();
    }
    assert_eq!(dots(&result), (0, false));
    // 44 of 220 timed out: from 80 % on.
    let svg = distribution_svg(&result, PROBE, Scheme::Page).unwrap();
    let document = parsed(&svg);
    let marks = with_class(&document, "mark");
    let at = |mark: &Node| mark.attribute("d").unwrap()[1..].split(' ').next().unwrap().parse::<f64>().unwrap();
    let [first, last] = marks[..] else { panic!("not two marks:\n{svg}") };
    let width = 220f64.log10() + 0.3;
    let x = layout::PLOT.0 + (layout::PLOT.1 - layout::PLOT.0) * (5f64.log10() - 2f64.log10()) / (width - 2f64.log10());
    assert!((at(&first) + 6.0 - x).abs() < 0.2 && (at(&last) + 6.0 - layout::PLOT.1).abs() < 0.2, "{first:?}");
}

#[test]
fn what_users_waited_for_is_drawn_where_whole_distributions_are_known() {
    let mut result = demo();
    assert_eq!(waiting_svgs(&result, Scheme::Page), [""; 0]);
    let all: Latencies = (1..=1000).map(Duration::from_millis).collect();
    let streams = &mut result.arms.get_mut("fixed").unwrap().streams;
    streams.inter_token_ms = all.quantiles();
    streams.histograms = Latencies::histograms([("inter_token_ms", &all)]);
    let drawn = waiting_svgs(&result, Scheme::Page);
    let [svg] = &drawn[..] else { panic!("{drawn:?}") };
    let document = parsed(svg);
    assert!(texts(&document).contains(&"Time between two tokens"), "{svg}");
    assert!(svg.contains("99 % within 990 ms, slowest 1 s, of 1000."), "{svg}");
    // One that is not that of its percentiles is not drawn.
    result.arms.get_mut("fixed").unwrap().streams.inter_token_ms.p99 = 1.0;
    assert!(waiting_svgs(&result, Scheme::Page).is_empty());
}

#[test]
fn a_result_without_a_timeline_or_a_probe_has_no_chart() {
    let mut result = demo();
    result.arms.values_mut().for_each(|arm| arm.timeline.clear());
    assert_eq!((timeline_svg(&result, PROBE, Scheme::Page), picture(&result, Scheme::Light)), (None, None));
    assert!(distribution_svg(&result, PROBE, Scheme::Page).is_some());
    result.arms.clear();
    assert_eq!(distribution_svg(&result, PROBE, Scheme::Page), None);
    assert!(probes(&result).is_empty());
}

#[test]
fn the_probe_that_collapsed_first_comes_first() {
    let mut result = demo();
    assert_eq!(probes(&result), ["health_sync", "health_async"]);
    result.arms.get_mut("broken").unwrap().timeline[2].probe_timed_out.insert("health_async".to_owned(), 1);
    assert_eq!(probes(&result), ["health_async", "health_sync"]);
}

/// The servers answer 40 a second, but for the broken one from 5 s on. Requests came at a rate in so many phases.
fn with_goodput(phases: usize) -> RunResult {
    let mut result = demo();
    let phase = json!({"name": "loaded", "loads": [{"schedule": Schedule::rate(35.0).to_string()}]});
    result.parameters.insert("phases".to_owned(), vec![phase; phases].into());
    for (name, arm) in &mut result.arms {
        let answers = |at: usize| name != "broken" || at < 20;
        arm.timeline.iter_mut().enumerate().filter(|(at, _)| answers(*at)).for_each(|(_, row)| row.completed = 10);
    }
    result
}

#[test]
fn goodput_is_drawn_where_requests_come_at_a_rate_in_several_phases() {
    assert_eq!(goodput_svg(&with_goodput(1), Scheme::Page), None);
    assert_eq!(goodput_svg(&demo(), Scheme::Page), None);
    let svg = goodput_svg(&with_goodput(2), Scheme::Page).unwrap();
    let document = parsed(&svg);
    let label = document.root_element().attribute("aria-label").unwrap();
    assert!(label.contains(" broken: up to 40. control (same framework): up to 40."), "{label}");
    // The first line of a class is that of the legend.
    let end = |class: &str| -> f64 {
        let line = with_class(&document, class).into_iter().rfind(|node| node.has_tag_name("path")).unwrap();
        line.attribute("d").unwrap().rsplit(' ').next().unwrap().parse().unwrap()
    };
    let [bottom, top] = ["broken-0", "fixed-0"].map(end);
    assert!(bottom > top + 100.0, "nothing is answered at its end: {bottom} and {top}");
}
