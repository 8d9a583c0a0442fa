//! A result whose every text is an attack: nothing of it comes to life.

use serde_json::{Map, Value, json};

use crate::page_rules::{elements, parsed, text};
use crate::{STORED, page, stored};

/// It ends a text, an attribute, a comment, a style and a title.
const ATTACK: &str =
    "\"'>--></style></title></td><script>alert(1)</script><img src=x onerror=alert(1)>{body}&amp;\u{0}";

/// Fields whose texts are words of the format, without which it is no result.
const WORDS: [&str; 9] = ["command", "result", "kind", "comparison", "side", "cause", "unit", "form", "confidence"];
/// Fields whose keys are free.
const MAPS: [&str; 16] = [
    "failures",
    "failure_answers",
    "by_status",
    "by_method",
    "errors_by_type",
    "errors_by_code",
    "says",
    "metrics",
    "loads",
    "arms",
    "probes",
    "requests_by_status",
    "faults",
    "parameters",
    "labs",
    "texts",
];

/// The same with the attack in each text.
fn attacked(value: &Value, field: &str) -> Value {
    match value {
        Value::String(text) if WORDS.contains(&field) => json!(text),
        // A claim is about an arm that there is, or about all.
        Value::String(text) if field == "arm" && ["all", "target"].contains(&text.as_str()) => json!(text),
        Value::String(text) => json!(format!("{text}{ATTACK}")),
        Value::Array(values) => values.iter().map(|value| attacked(value, field)).collect(),
        Value::Object(fields) => {
            // What a parameter means depends on its name.
            let is_free = MAPS.contains(&field);
            let key = |key: &String| if is_free { format!("{key}{ATTACK}") } else { key.clone() };
            let with_both = field == "parameters" || field == "arms";
            let mut all: Map<_, _> = fields.iter().map(|(name, of)| (key(name), attacked(of, name))).collect();
            if with_both {
                all.extend(fields.iter().map(|(name, of)| (name.clone(), attacked(of, name))));
            }
            Value::Object(all)
        }
        other => other.clone(),
    }
}

#[test]
fn nothing_in_a_result_comes_to_life_on_its_page() {
    for name in STORED {
        let mut result = attacked(&stored(name), "");
        if let Some(target) = result.get_mut("target") {
            target["sequence"] = attacked(&sequence(), "sequence");
        }
        let page = page(&result);
        let document = parsed(&page);
        let attacks = |element: &roxmltree::Node| {
            let named = ["script", "img"].contains(&element.tag_name().name());
            named || element.attributes().any(|attribute| attribute.name().starts_with("on"))
        };
        assert!(!elements(&document).any(|element| attacks(&element)), "{name}");
        let shown = text(&page).matches("<script>alert(1)</script>").count();
        assert!(shown > 20, "{name}: the texts are not on the page: {shown}");
        // A place of the template is filled once: in what it is filled with, its name is text.
        assert_eq!(elements(&document).filter(|element| element.has_tag_name("main")).count(), 1, "{name}");
    }
}

fn sequence() -> Value {
    json!({
        "calls": [{"call": 1, "request_tokens": 5, "answer_tokens": 5, "cumulative_tokens": 10, "status": 500,
                   "duration_ms": 1.0, "ok": false, "failure": "an answer"}],
        "first_failure": {"call": 1, "cumulative_tokens": 10}
    })
}
