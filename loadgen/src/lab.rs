//! What a lab is, as data: its arms, phases, probes and claims. Nothing here runs anything.

mod arm;
mod claim;
mod definition;
mod expected_load;
mod figure;
mod phase;
mod select_arms;

pub use arm::{Arm, Upstream};
pub use claim::{Claim, Comparison, Condition};
pub use definition::{ClosedLoopProbe, Group, HEALTH_ASYNC, HEALTH_SYNC, Lab, Probe, Profile};
pub use figure::{ArmFigure, CallFigure, ClosedLoopFigure, Figure, ProbeFigure, StreamFigure, VendorFigure};
pub use phase::{Action, ActionTarget, BASELINE, Calls, LOADED, Load, Phase};
pub use select_arms::{ArmRun, select_arms};
