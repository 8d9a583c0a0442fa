//! Figures of what the vendor's ledger has of a whole phase.

use std::borrow::Cow;
use std::time::Duration;

use super::per_request::PerRequestFigure;
use super::{Figure, Place, Source};
use crate::result::{PhaseLedger, RunResult, Unit};

/// A figure of the vendor's ledger of a whole phase, its ramp included, or of the whole run.
#[derive(Debug, Clone, Copy)]
pub enum LedgerFigure {
    /// Generations started.
    Started,
    /// Generations started that were not the first of their request.
    Retried,
    /// Generations delivered completely.
    Completed,
    /// Generations whose client disconnected.
    Cancelled,
    /// Requests rejected by a quota.
    Refused,
    /// Requests without an answer.
    Unanswered,
    /// Answers with this HTTP status.
    Status(u16),
    /// Connections on which clients sent their first request.
    Connections,
    /// Tokens generated for clients that had disconnected.
    TokensAfterDisconnect,
    /// Prompt tokens of the generations started.
    PromptTokens,
    /// Requests that came before the end of the `Retry-After` of an earlier one with their id.
    Early,
    /// Most generations that started in any window of this length.
    MostStartsWithin(Duration),
    /// Most retries that started in any window of this length.
    MostRetriesWithin(Duration),
    /// Attempts a request, started or refused.
    AttemptsPerRequest(PerRequestFigure),
    /// Early attempts a request.
    EarlyPerRequest(PerRequestFigure),
}

impl LedgerFigure {
    fn of(self, ledger: &PhaseLedger) -> Option<f64> {
        let count = match self {
            LedgerFigure::Started => ledger.started,
            LedgerFigure::Retried => ledger.retried,
            LedgerFigure::Completed => ledger.completed,
            LedgerFigure::Cancelled => ledger.cancelled,
            LedgerFigure::Refused => ledger.refused,
            LedgerFigure::Unanswered => ledger.unanswered,
            LedgerFigure::Status(status) => ledger.by_status.get(&status.to_string()).copied().unwrap_or(0),
            LedgerFigure::Connections => ledger.connections,
            LedgerFigure::TokensAfterDisconnect => ledger.tokens_after_disconnect,
            LedgerFigure::PromptTokens => ledger.prompt_tokens,
            LedgerFigure::Early => ledger.early,
            LedgerFigure::MostStartsWithin(window) => ledger.most_starts_within(window)?,
            LedgerFigure::MostRetriesWithin(window) => ledger.most_retries_within(window)?,
            LedgerFigure::AttemptsPerRequest(what) => return what.of(ledger.attempts.as_ref()?),
            LedgerFigure::EarlyPerRequest(what) => return what.of(ledger.early_attempts.as_ref()?),
        };
        Some(count as f64)
    }
}

impl Source for LedgerFigure {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        let ledger = match place.phase {
            Some(_) => Cow::Borrowed(place.phase_in(result)?.ledger.as_ref()?),
            None => Cow::Owned(PhaseLedger::of_run(place.arm_in(result)?.vendor.as_ref()?)),
        };
        LedgerFigure::of(*self, &ledger)
    }

    fn unit(&self) -> Unit {
        match self {
            LedgerFigure::Retried | LedgerFigure::MostRetriesWithin(_) => Unit::count("retries"),
            LedgerFigure::MostStartsWithin(_) => Unit::count("starts"),
            LedgerFigure::Connections => Unit::count("connections"),
            LedgerFigure::TokensAfterDisconnect | LedgerFigure::PromptTokens => Unit::TOKENS,
            LedgerFigure::AttemptsPerRequest(PerRequestFigure::Over(_))
            | LedgerFigure::EarlyPerRequest(PerRequestFigure::Over(_)) => Unit::count("requests"),
            LedgerFigure::AttemptsPerRequest(_) | LedgerFigure::EarlyPerRequest(_) => Unit::count("attempts"),
            _ => Unit::CALLS,
        }
    }
}

impl Place {
    /// A figure of the vendor's ledger of the whole phase, or of the whole run.
    #[must_use]
    pub fn ledger(self, what: LedgerFigure) -> Figure {
        Figure::new(self, what)
    }
}
