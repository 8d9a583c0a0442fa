//! The Prometheus text format, read strictly.

mod sample;

use std::collections::{BTreeMap, BTreeSet};

pub use sample::Sample;

/// The metrics of one scrape.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scrape {
    /// The type of each family: `counter`, `gauge`, `histogram`, ...
    pub families: BTreeMap<String, String>,
    /// All samples, in their order.
    pub samples: Vec<Sample>,
}

/// Text that is not in the format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not Prometheus text: {0}")]
pub struct ScrapeError(String);

/// The endings that a type of metric adds to its family's name.
const SUFFIXES: [&str; 5] = ["_total", "_bucket", "_sum", "_count", "_created"];

impl Scrape {
    /// Reads Prometheus or OpenMetrics text.
    ///
    /// # Errors
    /// The first line that is not in the format; a sample without a family; one that comes twice; a
    /// histogram whose buckets are not cumulative or do not add up to its count.
    pub fn parse(text: &str) -> Result<Self, ScrapeError> {
        ensure(text.ends_with('\n'), || "the last line has no end".to_owned())?;
        let mut scrape = Scrape::default();
        let mut seen = BTreeSet::new();
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix('#') {
                scrape.read_comment(comment)?;
                continue;
            }
            let sample = Sample::parse(line).map_err(|why| ScrapeError(format!("{why}: {line}")))?;
            ensure(scrape.family_of(&sample.name).is_some(), || format!("no TYPE in front of it: {line}"))?;
            ensure(seen.insert((sample.name.clone(), sample.labels.clone())), || format!("twice: {line}"))?;
            scrape.samples.push(sample);
        }
        scrape.check_histograms()?;
        Ok(scrape)
    }

    /// The sum of all samples of this name; `None` if there is none.
    #[must_use]
    pub fn sum(&self, name: &str) -> Option<f64> {
        self.sum_of(name, &BTreeMap::new())
    }

    /// The sum of the samples of this name that have these labels, and perhaps others; `None` if there is none.
    #[must_use]
    pub fn sum_of(&self, name: &str, labels: &BTreeMap<String, String>) -> Option<f64> {
        let has = |sample: &&Sample| labels.iter().all(|(label, value)| sample.labels.get(label) == Some(value));
        let named = self.samples.iter().filter(|sample| sample.name == name);
        named.filter(has).map(|sample| sample.value).reduce(|sum, more| sum + more)
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

    fn read_comment(&mut self, comment: &str) -> Result<(), ScrapeError> {
        let mut words = comment.split_whitespace();
        if words.next() != Some("TYPE") {
            return Ok(());
        }
        let (Some(name), Some(kind)) = (words.next(), words.next()) else {
            return Err(ScrapeError(format!("no name or no type: #{comment}")));
        };
        ensure(self.families.insert(name.into(), kind.into()).is_none(), || format!("a second TYPE of {name}"))
    }

    fn check_histograms(&self) -> Result<(), ScrapeError> {
        let mut last: BTreeMap<(String, BTreeMap<String, String>), (f64, f64)> = BTreeMap::new();
        for sample in &self.samples {
            let Some(family) = sample.name.strip_suffix("_bucket") else { continue };
            let mut labels = sample.labels.clone();
            let bound = labels.remove("le").and_then(|bound| bound.parse::<f64>().ok());
            let bound = bound.ok_or_else(|| ScrapeError(format!("a bucket without le: {sample:?}")))?;
            let before = last.insert((family.into(), labels), (bound, sample.value));
            let rises = before.is_none_or(|(less, count)| less < bound && count <= sample.value);
            ensure(rises, || format!("buckets that are not cumulative: {sample:?}"))?;
        }
        for ((family, labels), (bound, value)) in last {
            ensure(bound.is_infinite(), || format!("{family} has no bucket +Inf"))?;
            let count = format!("{family}_count");
            let counted = self.samples.iter().find(|sample| sample.name == count && sample.labels == labels);
            let agrees = counted.is_some_and(|counted| counted.value == value);
            ensure(agrees, || format!("{family}: +Inf is not its count"))?;
        }
        Ok(())
    }
}

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), ScrapeError> {
    if holds { Ok(()) } else { Err(ScrapeError(why())) }
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
        let with = |label: &str, value: &str| scrape.sum_of("a_total", &[(label.into(), value.into())].into());
        assert_eq!((with("x", "1"), with("x", "2"), with("z", "1")), (Some(2.0), None, None));
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
