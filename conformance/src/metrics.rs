//! The metrics of a running server.

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};
use wire::prometheus::Scrape;

use crate::answer::Answer;
use crate::running::Running;
use crate::wait::TIMEOUT;

impl Running {
    /// Its `/metrics`, parsed strictly.
    ///
    /// # Errors
    /// When the response is not 200, or not in the format that its content type names.
    pub async fn scrape(&self) -> anyhow::Result<Scrape> {
        let answer = Answer::to(self.get("/metrics")).await?;
        let (kind, text) = (answer.header("content-type").unwrap_or("none"), answer.text());
        ensure!(answer.status == 200, "{text}");
        // OpenMetrics ends with `# EOF`, the older text format has no end marker; the content type says which it is.
        let open_metrics = kind.starts_with("application/openmetrics-text");
        ensure!(open_metrics || kind.starts_with("text/plain"), "{kind}");
        ensure!(!open_metrics || text.ends_with("# EOF\n"), "OpenMetrics without its end");
        Ok(Scrape::parse(&text)?)
    }

    /// The sum of a metric over its labels.
    ///
    /// # Errors
    /// When this metric does not exist.
    pub async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        self.scrape().await?.sum(name).with_context(|| format!("no metric {name}"))
    }

    /// Requests for the model that have ended with this outcome.
    ///
    /// # Errors
    /// When no outcomes are counted.
    pub async fn outcomes(&self, outcome: &str) -> anyhow::Result<f64> {
        let scrape = self.scrape().await?;
        let with_outcome = scrape.samples.iter().find(|sample| {
            sample.name == "llm_outcomes_total" && sample.labels.get("outcome").is_some_and(|label| label == outcome)
        });
        with_outcome.map(|sample| sample.value).with_context(|| format!("no outcome {outcome}"))
    }

    /// Waits until a metric has this value.
    ///
    /// # Errors
    /// When it has another one after [`TIMEOUT`].
    pub async fn until_metric(&self, name: &str, value: f64) -> anyhow::Result<()> {
        until(name, value, || self.metric(name)).await
    }

    /// Waits until this many requests for the model have ended with this outcome.
    ///
    /// # Errors
    /// When they have not in time.
    pub async fn until_outcomes(&self, outcome: &str, value: f64) -> anyhow::Result<()> {
        until(outcome, value, || self.outcomes(outcome)).await
    }
}

async fn until<Look>(name: &str, value: f64, look: impl Fn() -> Look) -> anyhow::Result<()>
where
    Look: Future<Output = anyhow::Result<f64>>,
{
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let now = look().await?;
        if now == value {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{name} is {now} after {TIMEOUT:?}, expected {value}");
        sleep(std::time::Duration::from_millis(5)).await;
    }
}
