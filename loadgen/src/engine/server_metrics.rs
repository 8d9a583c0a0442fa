//! The metrics that the servers of an arm show of themselves, read at the start and at the end of a phase.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;
use wire::prometheus::Scrape;

use crate::http::{self, Endpoint};
use crate::result::{MetricName, MetricStats};

/// How long a server may take. One that hangs must not hold the phase up.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The metrics of each server of an arm; `None` for one that showed none.
#[derive(Debug, Default)]
pub(super) struct ServerMetrics(Vec<Option<Scrape>>);

impl ServerMetrics {
    /// Reads `/metrics` of all `servers` at once.
    pub(super) async fn read(servers: &[Endpoint]) -> Self {
        let read = servers.iter().map(|server| timeout(TIMEOUT, scrape(server)));
        ServerMetrics(join_all(read).await.into_iter().map(|read| read.ok().flatten()).collect())
    }

    /// These metrics at the end of a phase, by name, if all servers have them.
    pub(super) fn stats(begun: &Self, ended: &Self, names: &[MetricName]) -> BTreeMap<String, MetricStats> {
        let named = names.iter().filter_map(|name| Some((name.to_string(), stats(begun, ended, name)?)));
        named.collect()
    }
}

fn stats(begun: &ServerMetrics, ended: &ServerMetrics, name: &MetricName) -> Option<MetricStats> {
    let mut all = MetricStats::default();
    for (index, scrape) in ended.0.iter().enumerate() {
        let (value, is_gauge) = value(scrape.as_ref()?, name)?;
        let begun = begun.0.get(index).and_then(Option::as_ref);
        let before = begun.and_then(|scrape| Some(self::value(scrape, name)?.0)).unwrap_or(0.0);
        // A counter that fell began at 0 again: its server was restarted.
        let was_restarted = !is_gauge && before > value;
        all.value += value;
        all.increase += if was_restarted { value } else { value - before };
    }
    (!ended.0.is_empty()).then_some(all)
}

/// The value of a metric, and whether it is a gauge. A metric whose labels have not occurred yet is 0; one that the
/// server does not know has no value.
fn value(scrape: &Scrape, name: &MetricName) -> Option<(f64, bool)> {
    let kind = scrape.families.get(scrape.family_of(&name.name)?)?;
    Some((scrape.sum_of(&name.name, &name.labels).unwrap_or(0.0), kind == "gauge"))
}

/// The metrics of `server`; `None` if it does not answer with any.
pub async fn scrape(server: &Endpoint) -> Option<Scrape> {
    let (status, body) = http::get(server, "/metrics", http::ANSWER_BYTES_MAX).await.ok()?;
    let text = std::str::from_utf8(&body).ok().filter(|_| status == 200)?;
    Scrape::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(servers: &[Option<&str>]) -> ServerMetrics {
        let parse = |text: &str| Scrape::parse(text).expect("it is in the format");
        ServerMetrics(servers.iter().map(|text| text.map(parse)).collect())
    }

    const EMPTY: &str = "# TYPE calls counter\n";
    const FIVE: &str = "# TYPE calls counter\ncalls_total{type=\"a\"} 2\ncalls_total{type=\"b\"} 3\n";
    const NINE: &str = "# TYPE calls counter\ncalls_total{type=\"a\"} 4\ncalls_total{type=\"b\"} 5\n";

    fn seen(begun: &[Option<&str>], ended: &[Option<&str>], name: &MetricName) -> Option<(f64, f64)> {
        let all = ServerMetrics::stats(&metrics(begun), &metrics(ended), std::slice::from_ref(name));
        all.get(&name.to_string()).map(|stats| (stats.value, stats.increase))
    }

    #[test]
    fn a_metric_is_summed_over_labels_and_servers() {
        let calls = MetricName::new("calls_total");
        assert_eq!(seen(&[Some(FIVE)], &[Some(NINE)], &calls), Some((9.0, 4.0)));
        assert_eq!(seen(&[Some(FIVE)], &[Some(NINE)], &calls.clone().with("type", "b")), Some((5.0, 2.0)));
        assert_eq!(seen(&[Some(FIVE), Some(FIVE)], &[Some(NINE), Some(FIVE)], &calls), Some((14.0, 4.0)));
    }

    #[test]
    fn a_server_that_was_restarted_counts_from_zero() {
        let calls = MetricName::new("calls_total");
        assert_eq!(seen(&[Some(NINE)], &[Some(FIVE)], &calls), Some((5.0, 5.0)));
        assert_eq!(seen(&[None], &[Some(FIVE)], &calls), Some((5.0, 5.0)), "it was not ready yet");
    }

    #[test]
    fn a_gauge_may_fall() {
        let (two, one) = ("# TYPE open gauge\nopen 2\n", "# TYPE open gauge\nopen 1\n");
        assert_eq!(seen(&[Some(two)], &[Some(one)], &MetricName::new("open")), Some((1.0, -1.0)));
    }

    #[test]
    fn no_metric_is_no_evidence_and_no_sample_is_zero() {
        let calls = MetricName::new("calls_total");
        assert_eq!(seen(&[Some(EMPTY)], &[Some(EMPTY)], &calls), Some((0.0, 0.0)));
        assert_eq!(seen(&[Some(FIVE)], &[Some(NINE)], &MetricName::new("cals_total")), None);
        assert_eq!(seen(&[Some(FIVE), Some(FIVE)], &[Some(NINE), None], &calls), None, "one does not answer");
        assert_eq!(seen(&[], &[], &calls), None);
    }

    #[test]
    fn a_name_has_its_labels() {
        let name = MetricName::new("calls_total").with("type", "a").with("code", "5");
        assert_eq!(name.to_string(), r#"calls_total{code="5",type="a"}"#);
    }
}
