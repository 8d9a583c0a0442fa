//! The JSON Schema of result files, made from their types: `loadgen/schema/result.schema.json`. `make schema` writes
//! it anew, and a test here fails when it is not that of the types.
//!
//! It says what this version writes, so it is stricter than `read`: all fields are there, and no others.

use std::fs;
use std::path::{Path, PathBuf};

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use serde_json::{Value, json};

use crate::result::{LabsResult, RunResult};

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/result.schema.json")
}

/// The schema of the types.
fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut generator = settings.with_transform(plain).into_generator();
    let (run, labs) = (generator.subschema_for::<RunResult>(), generator.subschema_for::<LabsResult>());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Result of loadgen",
        "description": "What `loadgen demo`, `lab`, `labs`, `run`, `verify`, `sequence` and `diagnose` write with \
                        --out FILE. Latencies are in milliseconds, times since the start of the run.",
        "if": {"required": ["command"], "properties": {"command": {"const": "labs"}}},
        "then": labs,
        "else": run,
        "$defs": generator.take_definitions(true),
    })
}

/// No field but those of the type, descriptions without what only Rust's documentation shows, and no formats that
/// JSON Schema does not have.
fn plain(schema: &mut Schema) {
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".to_owned(), false.into());
    }
    schema.remove("format");
    if let Some(Value::String(text)) = schema.get("description") {
        let text = without_links(text);
        schema.insert("description".to_owned(), text.into());
    }
    transform_subschemas(&mut plain, schema);
}

/// A documentation comment in one line: of a link to an item its name is left.
fn without_links(text: &str) -> String {
    let mut plain = text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ").replace("[`", "`");
    while let Some(at) = plain.find("`](") {
        let Some(length) = plain[at..].find(')') else { break };
        plain.replace_range(at + 1..=at + length, "");
    }
    plain.replace("`]", "`")
}

#[test]
fn the_schema_in_the_repository_is_that_of_the_types() {
    let text = fs::read_to_string(file()).unwrap_or_default();
    let there: Value = serde_json::from_str(&text).unwrap_or_default();
    assert!(there == schema(), "{} is not that of the types: run `make schema`", file().display());
}

#[test]
#[ignore = "it writes loadgen/schema/result.schema.json"]
fn write_schema() {
    let text = serde_json::to_string_pretty(&schema()).expect("it is JSON");
    fs::create_dir_all(file().parent().expect("it is in a folder")).expect("the folder is made");
    fs::write(file(), text + "\n").expect("it is written");
}

#[test]
fn descriptions_are_for_people() {
    for (comment, plain) in [
        ("[`SCHEMA_VERSION`].", "`SCHEMA_VERSION`."),
        ("At most [`MAX`](crate::result::MAX)\n of them, [`all`].", "At most `MAX` of them, `all`."),
        ("A list [1, 2] and (that).", "A list [1, 2] and (that)."),
    ] {
        assert_eq!(without_links(comment), plain);
    }
}

/// Every field says what it is.
#[test]
fn every_field_has_a_description() {
    fn undescribed(value: &Value, path: &str, found: &mut Vec<String>) {
        for (name, field) in value["properties"].as_object().into_iter().flatten() {
            if field["description"].as_str().is_none_or(str::is_empty) {
                found.push(format!("{path}.{name}"));
            }
        }
    }
    let schema = schema();
    let mut found = Vec::new();
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        undescribed(definition, name, &mut found);
    }
    assert!(found.is_empty(), "without a description: {found:?}");
}
