//! The labs, each as data in its own file.

mod blocked_executor;
mod blocking_client;
mod coordinated_omission;
mod demo;
mod full_pool;
mod hidden_pool_users;
mod more_threads;
mod orphaned_streams;
mod pool_exhaustion;
mod pool_per_chunk;
mod rollout;
mod time;
mod whole_calls;
mod wrong_canary;

use program::suggestion::nearest;

use crate::lab::{Lab, Profile};

/// All labs, in the order of the workshop. To add one, write its file and its entry here: the command
/// line, the list and the tests follow.
pub static LABS: &[&Lab] = &[
    &pool_exhaustion::LAB,
    &pool_per_chunk::LAB,
    &blocked_executor::LAB,
    &blocking_client::LAB,
    &hidden_pool_users::LAB,
    &more_threads::LAB,
    &wrong_canary::LAB,
    &rollout::LAB,
    &orphaned_streams::LAB,
    &coordinated_omission::LAB,
];

/// The lab of the demo, and the longer numbers with which the demo runs it.
pub static DEMO: (&Lab, &Profile) = (&pool_exhaustion::LAB, &demo::PROFILE);

/// The lab of this name.
///
/// # Errors
/// A message for the command line with the list of labs and the closest name.
pub fn find(name: &str) -> Result<&'static Lab, String> {
    LABS.iter().find(|lab| lab.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = LABS.iter().map(|lab| lab.name).collect();
        let meant = nearest(name, names.iter().copied());
        let meant = meant.map(|meant| format!("; did you mean '{meant}'?")).unwrap_or(".".to_owned());
        format!("unknown lab{meant} The labs are: {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests;
