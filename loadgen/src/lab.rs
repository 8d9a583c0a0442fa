//! What a lab is, as data: its arms, phases, loads, probes and claims. Nothing here runs anything.

mod action;
mod arm;
mod by_hand;
mod case;
mod claim;
mod definition;
mod deployment;
mod expected_load;
mod figure;
mod flags;
mod load;
mod phase;
mod select_arms;
mod variants;

pub use action::{Action, ActionTarget, What};
pub use arm::{Arm, Server, Upstream};
pub use by_hand::ByHand;
pub use case::{Case, Cells, RetryAfter};
pub use claim::{AppliesIf, Claim, Comparison};
pub use definition::{ClosedLoopProbe, Group, HEALTH_ASYNC, HEALTH_SYNC, Lab, Probe, Profile};
pub use deployment::{Deployment, Supervision};
pub use figure::{
    ArmFigure, ClosedLoopFigure, DeploymentFigure, Figure, LedgerFigure, LevelFigure, MetricFigure, PerRequestFigure,
    Place, ProbeFigure, ProcessFigure, RequestFigure, Source, StepFigure, StopFigure, TableFigure, VendorFigure, at,
    whole_run,
};
pub use flags::flags;
pub use load::Load;
pub use phase::{BASELINE, LOADED, Phase};
pub use select_arms::{ArmRun, select_arms};
pub use variants::Variant;
