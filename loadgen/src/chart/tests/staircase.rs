//! The staircase of a diagnosis as a picture.

use super::*;
use crate::result::{Diagnosis, samples};

fn svg(diagnosis: &Diagnosis) -> String {
    staircase_svg(diagnosis, Scheme::Page).unwrap()
}

#[test]
fn the_health_check_climbs_at_the_collapse_and_has_crosses_from_there_on() {
    let svg = svg(&samples::full_pool());
    let document = parsed(&svg);
    let texts = texts(&document);
    for text in ["40th stream", "collapse", "health", "unknown path", "kept connection", "some timed out", "streams"] {
        assert!(texts.contains(&text), "{text} is not in {texts:?}");
    }
    assert!(!texts.contains(&"some failed"), "{texts:?}");
    // The eighth of ten numbers of streams.
    let x = layout::PLOT.0 + (layout::PLOT.1 - layout::PLOT.0) * 0.7;
    let [moment] = with_class(&document, "moment")[..] else { panic!("not one collapse:\n{svg}") };
    assert!(moment.attribute("d").unwrap().starts_with(&format!("M{x:.1} ")), "{moment:?} is not at {x}");
    let marks = |class: &str| with_class(&document, class).iter().filter(|node| is_mark(node)).count();
    assert_eq!(["probe-0", "probe-1", "probe-2"].map(marks), [3, 0, 0]);
    let label = document.root_element().attribute("aria-label").unwrap();
    assert!(label.contains("Collapse at 40 streams. health: up to 4 s."), "{label}");
}

fn is_mark(node: &Node) -> bool {
    node.attribute("class").is_some_and(|has| has.starts_with("mark"))
}

#[test]
fn a_probe_that_was_never_answered_has_a_gap_and_triangles() {
    let mut diagnosis = samples::none_found();
    for level in diagnosis.levels.iter_mut().skip(3) {
        let probe = level.probes.get_mut("health").unwrap();
        (probe.answered, probe.failed) = (0, probe.sent);
    }
    let svg = svg(&diagnosis);
    let document = parsed(&svg);
    let health = with_class(&document, "probe-0");
    assert_eq!(health.iter().filter(|node| is_mark(node)).count(), 2, "{svg}");
    // The first line of the class is that of the legend; three of five numbers of streams have a latency.
    let line = health.iter().rfind(|node| node.attribute("class") == Some("arm probe-0")).unwrap();
    assert_eq!(line.attribute("d").unwrap().matches(['M', 'L']).count(), 6, "{line:?}");
    assert!(document.root_element().attribute("aria-label").unwrap().contains(" No collapse."), "{svg}");
}

#[test]
fn whatever_a_diagnosis_says_stays_within_the_picture() {
    const HOSTILE: &str = r#"</text><script>alert(1)</script>"'&-->]]>"#;
    let mut diagnosis = samples::full_pool();
    for level in &mut diagnosis.levels {
        let probe = level.probes["health"].clone();
        level.probes.insert(HOSTILE.to_owned(), probe);
        level.chunks_per_second = f64::INFINITY;
    }
    let level = diagnosis.levels[0].clone();
    let more = |streams: u64| crate::result::DiagnosisLevel { streams, started: u64::MAX, ..level.clone() };
    diagnosis.levels.extend((100..400).chain([u64::MAX]).map(more));
    diagnosis.streams_at_collapse = Some(u64::MAX);
    for scheme in [Scheme::Page, Scheme::Light, Scheme::Dark] {
        let svg = staircase_svg(&diagnosis, scheme).unwrap();
        let document = parsed(&svg);
        assert!(!document.descendants().any(|node| node.has_tag_name("script")), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        nothing_is_beyond_the_edges(&document);
    }
}

#[test]
fn the_picture_of_a_diagnosis_is_its_staircase() {
    let run = samples::run(samples::full_pool());
    let picture = picture(&run, Scheme::Dark).unwrap();
    assert!(picture.contains("run of `loadgen diagnose`") && picture.contains("40th stream"), "{picture}");
    assert_eq!(super::picture(&samples::run(samples::compressed()), Scheme::Light), None, "no streams were held");
}
