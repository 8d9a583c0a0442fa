//! Building blocks for a service that calls a slow one: limits, timeouts, retries and outcomes, one idea per file.
//!
//! | to | use |
//! |---|---|
//! | bound concurrency, rates and the queue in front | [`Admission`], [`Permits`], [`Gcra`] |
//! | bound each user | [`UserLimits`] |
//! | bound the time of a request, over all attempts | [`Deadline`], [`timeout_with_recheck`] |
//! | retry, and not make an outage worse | [`RetryPolicy`], [`Backoff`], [`RetryBudget`] |
//! | stop calling a service that fails | [`Breaker`], [`ErrorRate`], [`Hysteresis`] |
//! | record exactly one outcome per request | [`OutcomeGuard`] |
//! | do shared work once | [`SingleFlight`] |
//! | reject contradictory settings at startup | [`LimitConflict`], [`InvalidSetting`] |
//!
//! Nothing here knows HTTP or the service that is called. Everything runs on tokio's clock, so that a test can pause it.
//! Whatever is held is a guard, and what must always happen happens in its `Drop`: a future that is dropped halfway,
//! because its client disconnected or its time was up, leaves nothing behind.

pub mod admission;
pub mod backoff;
pub mod breaker;
pub mod deadline;
pub mod error_rate;
pub mod gcra;
pub mod hysteresis;
pub mod invalid_setting;
pub mod limit_conflict;
pub mod outcome;
pub mod permits;
pub mod rate;
pub mod recheck;
pub mod retry;
pub mod retry_budget;
pub mod single_flight;
pub mod user_limits;
mod window;

pub use admission::{Admission, AdmissionError, AdmissionLimits, AdmissionPermit, Load, QueueWait};
pub use backoff::Backoff;
pub use breaker::{Breaker, BreakerGuard, BreakerOpen, BreakerReport, BreakerState};
pub use deadline::{Deadline, DeadlinePassed};
pub use error_rate::ErrorRate;
pub use gcra::{ExceedsBurst, Gcra, TryTakeError};
pub use hysteresis::Hysteresis;
pub use invalid_setting::InvalidSetting;
pub use limit_conflict::LimitConflict;
pub use outcome::OutcomeGuard;
pub use permits::{Permit, Permits};
pub use rate::{Rate, RateError};
pub use recheck::{RECHECK_TIME, extra_wait, timeout_with_recheck};
pub use retry::{FailedAttempt, NextAttempt, RetryPolicy, Retryable};
pub use retry_budget::{RetryBudget, RetryBudgetLimits};
pub use single_flight::{Abandoned, Leader, SingleFlight};
pub use user_limits::{UserGuard, UserLimitError, UserLimits, UserQuota, UserReport};
