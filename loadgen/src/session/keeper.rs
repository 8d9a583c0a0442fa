//! Keeps what should run in an arm running.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::sync::watch::error::RecvError;
use tokio::time::sleep;

use super::SessionArm;
use super::inner::Wanted;
use super::programs::Programs;
use super::shared::Shared;

/// Interval between two looks at whether the programs still run.
const LOOKS: Duration = Duration::from_millis(250);

/// Starts and stops the programs of `arm` as wanted, until the session ends.
pub(super) async fn keep(shared: Arc<Shared>, arm: SessionArm, mut wanted: watch::Receiver<Option<Wanted>>) {
    loop {
        let now = wanted.borrow_and_update().clone();
        let something_else = match now {
            None => {
                shared.stopped(arm, None);
                wanted.changed().await
            }
            Some(now) => run(&shared, arm, &now.mistake, &mut wanted).await,
        };
        if something_else.is_err() {
            return;
        }
    }
}

/// Starts the programs anew, and returns when something else is wanted. If one does not start, or ends by itself, that
/// is reported, and it is not started again until somebody asks for it.
async fn run(
    shared: &Arc<Shared>,
    arm: SessionArm,
    mistake: &str,
    wanted: &mut watch::Receiver<Option<Wanted>>,
) -> Result<(), RecvError> {
    shared.starts(arm);
    let start = Programs::start(arm, mistake, &shared.options, shared.origin);
    let started = tokio::select! {
        started = start => started,
        changed = wanted.changed() => return changed,
    };
    let error = match started {
        Ok(programs) => {
            shared.started(arm, mistake, programs);
            tokio::select! {
                error = ended(shared, arm) => error,
                changed = wanted.changed() => return changed,
            }
        }
        Err(error) => error.to_string(),
    };
    shared.stopped(arm, Some(error));
    wanted.changed().await
}

/// Waits until a program of `arm` has ended by itself: how, and its last output.
async fn ended(shared: &Shared, arm: SessionArm) -> String {
    loop {
        sleep(LOOKS).await;
        if let Some(how) = shared.ended(arm) {
            return how;
        }
    }
}
