//! One line of Prometheus text with a value.

use std::collections::BTreeMap;

/// One line with a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its name, with the suffix that its type gives it: `..._total`, `..._bucket`.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

impl Sample {
    /// Reads a line; the error is what is wrong with it.
    pub(super) fn parse(line: &str) -> Result<Self, &'static str> {
        let name_end = line.find(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c))).ok_or("no value")?;
        let (name, mut rest) = line.split_at(name_end);
        if !name.starts_with(|c: char| !c.is_ascii_digit()) {
            return Err("no name");
        }
        let mut labels = BTreeMap::new();
        if let Some(inside) = rest.strip_prefix('{') {
            (labels, rest) = parse_labels(inside)?;
        }
        // A timestamp or an exemplar may follow the value.
        let value = rest.split_whitespace().next().ok_or("no value")?;
        let value = value.parse().map_err(|_| "the value is no number")?;
        Ok(Sample { name: name.into(), labels, value })
    }
}

/// `a="x",b="y"}` and what comes behind it.
fn parse_labels(mut rest: &str) -> Result<(BTreeMap<String, String>, &str), &'static str> {
    let mut labels = BTreeMap::new();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, value) = rest.split_once("=\"").ok_or("a label without a value")?;
        let mut escaped = false;
        let end = value.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let (value, after) = value.split_at(end.ok_or("a value without an end")?);
        if labels.insert(name.into(), value.into()).is_some() {
            return Err("a label twice");
        }
        rest = after[1..].trim_start_matches(',');
    }
}
