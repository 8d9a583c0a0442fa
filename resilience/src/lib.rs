//! What a service needs around its calls to something slow, one idea a file.
//!
//! Nothing here knows HTTP, or who is called. All of it runs on tokio's clock, so that a test can
//! pause it. What is held is a guard, and what must happen happens in its `Drop`: a future that is
//! dropped halfway, because its client left or its time was up, leaves nothing behind.
//!
//! Read in this order:

/// A bounded, timed, first-come-first-served queue for a permit and a share of the rates, jointly.
pub mod admission;
/// How long to wait before a retry: full jitter, on top of what the service asked for.
pub mod backoff;
/// A switch that stops calling a service that fails, and asks it now and then whether it is back.
pub mod breaker;
/// Two limits of which one makes the other useless, found at the start.
pub mod contradiction;
/// One point in time by which all of a request's work must be over.
pub mod deadline;
/// The share of calls that failed lately.
pub mod error_rate;
/// A switch that does not flutter: on above one mark, off below a lower one.
pub mod hysteresis;
/// A setting that is not what it may be.
pub mod invalid;
/// A guard that records exactly one outcome, whatever happens to the code that holds it.
pub mod outcome;
/// A limit on how much runs at once, as guards that give themselves back.
pub mod permits;
/// A limit on how much begins in a time, in requests or in tokens.
pub mod rate_limit;
/// A limit on retries, as a share of all calls.
pub mod retry_budget;
/// Giving up on time, and not on what came while the process stood still.
pub mod second_look;
/// Work that many ask for and that is done once.
pub mod single_flight;
/// A rate and a number of calls for each user apart, in a bounded table.
pub mod user_limits;
mod window;

pub use admission::{Admission, AdmissionLimits, Admitted, Ask, Load, Priority, Rejected, Waited};
pub use backoff::Backoff;
pub use breaker::{Breaker, BreakerGuard, BreakerOpen, BreakerReport, BreakerState, Trip};
pub use contradiction::Contradiction;
pub use deadline::{Deadline, DeadlinePassed};
pub use error_rate::ErrorRate;
pub use hysteresis::Hysteresis;
pub use invalid::InvalidSetting;
pub use outcome::OutcomeGuard;
pub use permits::{Permit, Permits};
pub use rate_limit::{Gcra, NotTaken, OverBurst, Rate, RateError, RateLimit};
pub use retry_budget::{BudgetLimits, RetryBudget};
pub use second_look::{SECOND_LOOK, extension, with_second_look};
pub use single_flight::{Abandoned, Lead, SingleFlight};
pub use user_limits::{UserGuard, UserLimits, UserQuota, UserRejected, UserReport};
