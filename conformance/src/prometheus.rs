//! The Prometheus text format, read strictly.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};

/// The metrics of one scrape.
#[derive(Debug, Default)]
pub struct Scrape {
    /// The type of each family: `counter`, `gauge`, `histogram`, ...
    pub families: BTreeMap<String, String>,
    /// All samples, in their order.
    pub samples: Vec<Sample>,
}

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

/// The endings that a type of metric adds to its family's name.
const SUFFIXES: [&str; 5] = ["_total", "_bucket", "_sum", "_count", "_created"];

impl Scrape {
    /// Reads Prometheus or OpenMetrics text.
    ///
    /// # Errors
    /// The first line that is not in the format; a sample without a family; one that comes twice; a
    /// histogram whose buckets are not cumulative or do not add up to its count.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        ensure!(text.ends_with('\n'), "the last line has no end");
        let mut scrape = Scrape::default();
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix('#') {
                scrape.read_comment(comment).with_context(|| line.to_owned())?;
                continue;
            }
            let sample = Sample::parse(line).with_context(|| line.to_owned())?;
            ensure!(scrape.family_of(&sample.name).is_some(), "no TYPE in front of it: {line}");
            ensure!(seen.insert((sample.name.clone(), sample.labels.clone())), "twice: {line}");
            scrape.samples.push(sample);
        }
        scrape.check_histograms()?;
        Ok(scrape)
    }

    /// The sum of all samples of this name.
    #[must_use]
    pub fn sum(&self, name: &str) -> Option<f64> {
        let values: Vec<f64> = self.samples.iter().filter(|sample| sample.name == name).map(|s| s.value).collect();
        if values.is_empty() { None } else { Some(values.iter().sum()) }
    }

    /// The family that a sample or a contract's name belongs to.
    #[must_use]
    pub fn family_of(&self, name: &str) -> Option<&str> {
        let stems = SUFFIXES.iter().filter_map(|suffix| name.strip_suffix(suffix));
        std::iter::once(name)
            .chain(stems)
            .find_map(|stem| self.families.get_key_value(stem))
            .map(|(key, _)| key.as_str())
    }

    fn read_comment(&mut self, comment: &str) -> anyhow::Result<()> {
        let mut words = comment.split_whitespace();
        if words.next() == Some("TYPE") {
            let (name, kind) = (words.next().context("no name")?, words.next().context("no type")?);
            ensure!(self.families.insert(name.into(), kind.into()).is_none(), "a second TYPE of {name}");
        }
        Ok(())
    }

    fn check_histograms(&self) -> anyhow::Result<()> {
        let mut last: BTreeMap<(String, BTreeMap<String, String>), (f64, f64)> = BTreeMap::new();
        for sample in &self.samples {
            let Some(family) = sample.name.strip_suffix("_bucket") else { continue };
            let mut labels = sample.labels.clone();
            let bound: f64 = labels.remove("le").context("a bucket without le")?.parse()?;
            let before = last.insert((family.into(), labels), (bound, sample.value));
            let rises = before.is_none_or(|(less, count)| less < bound && count <= sample.value);
            ensure!(rises, "buckets that are not cumulative: {sample:?}");
        }
        for ((family, labels), (bound, value)) in last {
            ensure!(bound.is_infinite(), "{family} has no bucket +Inf");
            let count = format!("{family}_count");
            let counted = self.samples.iter().find(|sample| sample.name == count && sample.labels == labels);
            ensure!(counted.is_some_and(|counted| counted.value == value), "{family}: +Inf is not its count");
        }
        Ok(())
    }
}

impl Sample {
    fn parse(line: &str) -> anyhow::Result<Self> {
        let name_end = line.find(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c))).context("no value")?;
        let (name, mut rest) = line.split_at(name_end);
        ensure!(name.starts_with(|c: char| !c.is_ascii_digit()), "no name");
        let mut labels = BTreeMap::new();
        if let Some(inside) = rest.strip_prefix('{') {
            (labels, rest) = parse_labels(inside)?;
        }
        // A timestamp or an exemplar may follow the value.
        let value = rest.split_whitespace().next().context("no value")?;
        let value = value.parse().with_context(|| format!("{value} is no number"))?;
        Ok(Sample { name: name.into(), labels, value })
    }
}

/// `a="x",b="y"}` and what comes behind it.
fn parse_labels(mut rest: &str) -> anyhow::Result<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, value) = rest.split_once("=\"").context("a label without a value")?;
        let mut escaped = false;
        let end = value.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let (value, after) = value.split_at(end.context("a value without an end")?);
        ensure!(labels.insert(name.into(), value.into()).is_none(), "the label {name} twice");
        rest = after[1..].trim_start_matches(',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_their_labels() {
        let scrape = Scrape::parse("# TYPE a counter\na_total{x=\"1\",y=\"q\\\"}\"} 2\na_total 3.5\n").unwrap();
        assert_eq!(scrape.samples[0].labels["y"], "q\\\"}");
        assert_eq!(scrape.sum("a_total"), Some(5.5));
        assert_eq!(scrape.sum("b_total"), None);
    }

    #[test]
    fn what_is_not_in_the_format_is_refused() {
        for text in [
            "# TYPE a counter\na_total 1",
            "a_total 1\n",
            "# TYPE a counter\na_total\n",
            "# TYPE a counter\na_total x\n",
            "# TYPE a counter\na_total 1\na_total 1\n",
            "# TYPE a gauge\n# TYPE a gauge\n",
            "# TYPE a gauge\na{x=1} 1\n",
            "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_count 1\n",
            "# TYPE a histogram\na_bucket{le=\"1\"} 2\na_count 2\n",
            "# TYPE a histogram\na_bucket{le=\"+Inf\"} 2\na_count 3\n",
        ] {
            assert!(Scrape::parse(text).is_err(), "{text}");
        }
    }
}
