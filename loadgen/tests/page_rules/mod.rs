//! What holds of every page that a command writes: it is well-formed, loads nothing, runs nothing, says the verdict
//! first, and shows every claim.

#![allow(dead_code, reason = "each test uses a part of it")]

use loadgen::markup::escape;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

/// Checks the page of a result, which is that of one run or of several labs.
pub(crate) fn check(page: &str, result: &Value) {
    let document = parsed(page);
    loads_nothing(&document);
    links_lead_somewhere(&document);
    let count = |name: &str| elements(&document).filter(|element| element.has_tag_name(name)).count();
    assert_eq!((count("html"), count("h1"), count("main")), (1, 1, 1));
    assert!(page.find("<h1").unwrap() < page.find("<section").unwrap(), "the verdict comes first");
    let runs: Vec<&Value> = match result.get("labs").and_then(Value::as_object) {
        Some(labs) => labs.values().collect(),
        None => vec![result],
    };
    let claims = || runs.iter().filter_map(|run| run["verdict"]["claims"].as_array()).flatten();
    for claim in claims() {
        let name = escape(claim["name"].as_str().unwrap());
        assert!(page.contains(&format!(">{name}</th>")), "the claim '{name}' is missing");
    }
    let missed = claims().filter(|claim| claim["held"] == false).count();
    assert!(page.matches(">✘ NO</td>").count() >= missed, "{missed} claims are not met");
    if result["verdict"]["result"] == "invalid" && runs.len() == 1 {
        invalid_comes_first(page, result);
    }
}

fn invalid_comes_first(page: &str, result: &Value) {
    let header = page.split("</header>").next().unwrap_or_default();
    assert!(header.contains("Invalid: no conclusion can be drawn from this run."), "{header}");
    for why in result["verdict"]["invalid_because"].as_array().unwrap() {
        let why = escape(why.as_str().unwrap());
        assert!(header.contains(&why), "'{why}' does not come first");
    }
}

/// The page as XML, which it is too: each element ends, and in the right place.
pub(crate) fn parsed(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).unwrap_or_else(|error| panic!("{error}:\n{page}"))
}

pub(crate) fn elements<'a>(document: &'a Document) -> impl Iterator<Item = Node<'a, 'a>> {
    document.descendants().filter(Node::is_element)
}

/// What a reader sees of the page.
pub(crate) fn text(page: &str) -> String {
    let document = parsed(page);
    let body = elements(&document).find(|element| element.has_tag_name("body")).unwrap();
    body.descendants().filter_map(|node| node.text().filter(|_| node.is_text())).collect()
}

fn loads_nothing(document: &Document) {
    const LOADING: [&str; 11] =
        ["script", "link", "img", "iframe", "object", "embed", "base", "form", "use", "image", "foreignObject"];
    for element in elements(document) {
        let name = element.tag_name().name();
        assert!(!LOADING.contains(&name), "<{name}> is on the page");
        for attribute in element.attributes() {
            let (attribute, value) = (attribute.name(), attribute.value());
            assert!(!attribute.starts_with("on") && attribute != "style", "<{name} {attribute}={value}>");
            if ["src", "srcset", "href", "action", "data", "poster"].contains(&attribute) {
                assert!(attribute == "href" && value.starts_with('#'), "<{name} {attribute}={value}>");
            }
        }
    }
    let styles = elements(document).filter(|element| element.has_tag_name("style"));
    let style: String = styles.filter_map(|style| style.text()).collect();
    assert!(style.len() > 1000, "it brings its style");
    assert!(!["url(", "@import", "//"].iter().any(|loads| style.contains(loads)), "the style loads something");
}

fn links_lead_somewhere(document: &Document) {
    let of = |name: &'static str| elements(document).filter_map(move |element| element.attribute(name));
    let mut ids: Vec<_> = of("id").collect();
    let all = ids.len();
    for link in of("href").map(|link| &link[1..]).chain(of("aria-labelledby")) {
        assert!(ids.contains(&link), "nothing is called {link}");
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands twice");
}
