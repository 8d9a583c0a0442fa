//! The cases of a phase, one after another, so that whatever the server counts meanwhile belongs to one of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::RETRY_AFTER;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use wire::REQUEST_ID_HEADER;
use wire::prometheus::Scrape;

use super::server_metrics::scrape;
use crate::http::{self, Endpoint, Receive};
use crate::lab::{Case, Cells, Phase, RetryAfter};
use crate::result::{Cell, TableRow};
use crate::vendor;

/// How long an answer may take: longer than any server's limits in a lab.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the server may take to count an outcome after its answer.
const OUTCOME_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause between two looks at the server's counts.
const POLL: Duration = Duration::from_millis(5);

/// The cases of a phase of one arm while they run. Dropped, they are given up.
pub(super) struct RunningCases {
    cases: &'static [Case],
    rows: Arc<Mutex<Vec<TableRow>>>,
    task: AbortOnDropHandle<()>,
}

impl RunningCases {
    /// Makes the requests of the cases of `phase`.
    pub(super) fn start(phase: &'static Phase, server: Endpoint, vendor: Option<Endpoint>) -> Self {
        let rows = Arc::new(Mutex::new(Vec::with_capacity(phase.cases.len())));
        let done = rows.clone();
        let task = tokio::spawn(async move {
            for (index, case) in phase.cases.iter().enumerate() {
                // Unique in the run, because the vendor counts attempts by them.
                let id = format!("case-{}-{index}", phase.name);
                let row = run_case(case, &id, &server, vendor.as_ref()).await;
                done.lock().unwrap_or_else(PoisonError::into_inner).push(row);
            }
        });
        RunningCases { cases: &phase.cases, rows, task: AbortOnDropHandle::new(task) }
    }

    /// Whether all of them have ended.
    pub(super) fn have_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// A row a case. Of those that have not ended, nothing was measured.
    pub(super) fn table(&self) -> Vec<TableRow> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone();
        rows.extend(self.cases.iter().skip(rows.len()).map(|case| row(case, Measured::default())));
        rows
    }
}

/// What came of a request, as far as it could be measured.
#[derive(Debug, Default)]
struct Measured {
    status: Option<String>,
    attempts: Option<u64>,
    outcome: Option<String>,
    retry_after: Option<String>,
}

fn row(case: &Case, measured: Measured) -> TableRow {
    let Cells { status, attempts, outcome, retry_after } = case.expected;
    let same = |name: &str, expected: String, measured: Option<String>| {
        Cell::new(name, expected.clone(), measured, |measured| measured == expected)
    };
    let cells = vec![
        same("status", status.to_string(), measured.status),
        same("attempts", attempts.to_string(), measured.attempts.map(|attempts| attempts.to_string())),
        same("outcome", outcome.as_str().to_owned(), measured.outcome),
        Cell::new("retry_after", retry_after.to_string(), measured.retry_after, |value| retry_after.is_met_by(value)),
    ];
    TableRow { case: case.name.clone(), cells }
}

async fn run_case(case: &Case, id: &str, server: &Endpoint, vendor: Option<&Endpoint>) -> TableRow {
    let before = outcomes(server).await;
    let (status, retry_after) = answer(case, id, server).await;
    let outcome = match &before {
        Some(before) => counted_since(before, server).await,
        None => None,
    };
    let attempts = match vendor {
        Some(vendor) => attempts(vendor, id).await,
        None => None,
    };
    row(case, Measured { status, attempts, outcome, retry_after })
}

/// The status and the `Retry-After` of the answer, which is read to its end.
async fn answer(case: &Case, id: &str, server: &Endpoint) -> (Option<String>, Option<String>) {
    let request = case.request.clone().header(REQUEST_ID_HEADER, id);
    let sent = server.request(&request.method, &request.path, &request.headers, request.body);
    let exchange = async {
        let mut exchange = http::send(server, sent, Receive::AtOnce).await?;
        let retry_after = exchange.response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.unwrap_or(RetryAfter::ABSENT).to_owned();
        let status = exchange.response.status().as_u16().to_string();
        // The end of a stream is in its outcome.
        let _ = exchange.read_to_end(0).await;
        Ok((status, retry_after))
    };
    match timeout(ANSWER_TIMEOUT, exchange).await {
        Ok(Ok((status, retry_after))) => (Some(status), Some(retry_after)),
        Ok(Err::<_, http::HttpError>(error)) if error.is_own_limit() => (None, None),
        Ok(Err(error)) => (Some(error.cause().to_owned()), Some(RetryAfter::ABSENT.to_owned())),
        Err(_) => (Some("no answer".to_owned()), Some(RetryAfter::ABSENT.to_owned())),
    }
}

/// What the server has counted so far, by outcome; `None` if it does not tell.
async fn outcomes(server: &Endpoint) -> Option<BTreeMap<String, f64>> {
    let scrape: Scrape = timeout(OUTCOME_TIMEOUT, scrape(server)).await.ok().flatten()?;
    let counted = scrape.samples.iter().filter(|sample| sample.name == "llm_outcomes_total");
    Some(counted.filter_map(|sample| Some((sample.labels.get("outcome")?.clone(), sample.value))).collect())
}

/// The outcome that has been counted since `before`: `none` if there is none, and `None` if there are several, because
/// then it cannot be told which is the case's: a load beside it has others.
async fn counted_since(before: &BTreeMap<String, f64>, server: &Endpoint) -> Option<String> {
    let asked = Instant::now();
    loop {
        let after = outcomes(server).await?;
        let increase = |(outcome, count): (&String, &f64)| {
            let more = count - before.get(outcome).copied().unwrap_or(0.0);
            (more > 0.0).then(|| outcome.clone())
        };
        let counted: Vec<_> = after.iter().filter_map(increase).collect();
        match &counted[..] {
            [] if asked.elapsed() < OUTCOME_TIMEOUT => sleep(POLL).await,
            [] => return Some("none".to_owned()),
            [outcome] => return Some(outcome.clone()),
            _ => return None,
        }
    }
}

/// The attempts of this request id that the vendor saw, started or refused.
async fn attempts(vendor: &Endpoint, id: &str) -> Option<u64> {
    let ledger = vendor::ledger(vendor).await.ok()?;
    let of = |counts: &BTreeMap<String, u64>| counts.get(id).copied().unwrap_or(0);
    Some(of(&ledger.attempts_by_request_id) + of(&ledger.refused_by_request_id))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use axum::Router;
    use axum::routing::{get, post};
    use tokio::net::TcpListener;
    use wire::outcome::Outcome;

    use super::*;
    use crate::traffic::Request;

    /// A server that answers 200 to everything and counts each of these outcomes with each answer.
    async fn server(outcomes: &'static [&str]) -> Endpoint {
        let answers = Arc::new(AtomicU64::new(0));
        let shown = answers.clone();
        let metrics = move || {
            let count = shown.load(Relaxed);
            let samples = outcomes.iter().map(|outcome| format!("llm_outcomes_total{{outcome={outcome:?}}} {count}\n"));
            std::future::ready(format!("# TYPE llm_outcomes counter\n{}", samples.collect::<String>()))
        };
        let answer = move || {
            answers.fetch_add(1, Relaxed);
            std::future::ready("{}")
        };
        let app = Router::new().route("/metrics", get(metrics)).route("/llm", post(answer));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(async move { axum::serve(listener, app).await });
        Endpoint::at(address)
    }

    async fn cells(case: &Case, server: &Endpoint) -> Vec<(Option<String>, bool)> {
        let row = run_case(case, "id", server, None).await;
        row.cells.into_iter().map(|cell| (cell.measured, cell.wrong)).collect()
    }

    #[tokio::test]
    async fn what_is_not_as_expected_is_wrong_and_what_cannot_be_told_is_neither() {
        let failure = Case::new("500", Request::whole(), Cells::new(502, 2, Outcome::UpstreamFailure));
        let measured = |text: &str, wrong| (Some(text.to_owned()), wrong);
        let one = cells(&failure, &server(&["success"]).await).await;
        assert_eq!(one, [measured("200", true), (None, false), measured("success", true), measured("none", false)]);
        let success = Case::new("200", Request::whole(), Cells::new(200, 1, Outcome::Success));
        let two = cells(&success, &server(&["success", "overloaded"]).await).await;
        assert_eq!(two[2], (None, false), "one of the two belongs to another request");
        let none = cells(&success, &server(&[]).await).await;
        assert_eq!(none[2], measured("none", true));
    }
}
