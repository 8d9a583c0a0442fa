//! What a service needs around its calls to something slow, one idea a file.
//!
//! Nothing here knows HTTP, or who is called. All of it runs on tokio's clock, so that a test can
//! pause it. What is held is a guard, and what must happen happens in its `Drop`: a future that is
//! dropped halfway, because its client left or its time was up, leaves nothing behind.
//!
//! Read in this order:

pub mod admission;
pub mod backoff;
pub mod breaker;
pub mod contradiction;
pub mod deadline;
pub mod error_rate;
pub mod gcra;
pub mod hysteresis;
pub mod invalid;
pub mod outcome;
pub mod permits;
pub mod rate;
pub mod retry_budget;
pub mod second_look;
pub mod single_flight;
pub mod user_limits;
mod window;

pub use admission::{Admission, AdmissionLimits, Admitted, Load, Rejected, Waited};
pub use backoff::Backoff;
pub use breaker::{Breaker, BreakerGuard, BreakerOpen, BreakerReport, BreakerState};
pub use contradiction::Contradiction;
pub use deadline::{Deadline, DeadlinePassed};
pub use error_rate::ErrorRate;
pub use gcra::{Gcra, NotTaken, OverBurst};
pub use hysteresis::Hysteresis;
pub use invalid::InvalidSetting;
pub use outcome::OutcomeGuard;
pub use permits::{Permit, Permits};
pub use rate::{Rate, RateError};
pub use retry_budget::{BudgetLimits, RetryBudget};
pub use second_look::{SECOND_LOOK, extension, with_second_look};
pub use single_flight::{Abandoned, Lead, SingleFlight};
pub use user_limits::{UserGuard, UserLimits, UserQuota, UserRejected, UserReport};
