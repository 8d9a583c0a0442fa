//! The actions of a phase that are due while its loads run.

use std::time::Instant;

use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use super::LabError;
use super::actor::Actor;
use crate::lab::{Action, Phase};

/// The actions of a phase that are due while its loads run. Dropped, they are not performed any more.
#[derive(Debug, Default)]
pub(super) struct LaterActions(JoinSet<Result<(), LabError>>);

impl LaterActions {
    /// Performs the actions of `phase` for the arm of this name that are due at its start, and sees to the others.
    ///
    /// # Errors
    /// The first that failed.
    pub(super) async fn begin(
        &mut self,
        phase: &'static Phase,
        arm: &str,
        actor: &Actor,
        origin: Instant,
    ) -> Result<(), LabError> {
        let own = || phase.actions.iter().filter(|action| action.is_for(arm));
        for action in own().filter(|action| action.at.is_zero()) {
            actor.perform(action, origin).await?;
        }
        for action in own().filter(|action| !action.at.is_zero()) {
            self.0.spawn(perform_later(action, actor.clone(), origin));
        }
        Ok(())
    }

    /// One that has failed by now, if one has.
    pub(super) fn failed(&mut self) -> Option<LabError> {
        while let Some(done) = self.0.try_join_next() {
            if let Err(error) = result_of(done) {
                return Some(error);
            }
        }
        None
    }

    /// Waits until all are done.
    ///
    /// # Errors
    /// The first that failed.
    pub(super) async fn finish(&mut self) -> Result<(), LabError> {
        while let Some(done) = self.0.join_next().await {
            result_of(done)?;
        }
        Ok(())
    }
}

async fn perform_later(action: &'static Action, actor: Actor, origin: Instant) -> Result<(), LabError> {
    sleep(action.at).await;
    actor.perform(action, origin).await
}

fn result_of(done: Result<Result<(), LabError>, JoinError>) -> Result<(), LabError> {
    done.unwrap_or_else(|panic| Err(LabError::Action { what: "an action".to_owned(), why: panic.to_string() }))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Weak};
    use std::time::Duration;

    use mock_llm::MockLlm;

    use super::*;
    use crate::http::Endpoint;

    async fn vendor() -> (MockLlm, Actor) {
        let mock = MockLlm::builder().start().await.unwrap();
        let endpoint = Endpoint::at(mock.addr());
        let vendor = Some(endpoint.clone());
        (mock, Actor { endpoint, vendor, server: Weak::new(), stop: Arc::default() })
    }

    fn phase(actions: impl IntoIterator<Item = Action>) -> &'static Phase {
        let phase = actions.into_iter().fold(Phase::new("phase", ""), Phase::action);
        Box::leak(Box::new(phase))
    }

    async fn faults(mock: &MockLlm) -> String {
        let client = gateway::http_client().build().unwrap();
        client.get(format!("{}/debug/faults", mock.url())).send().await.unwrap().text().await.unwrap()
    }

    #[tokio::test]
    async fn each_action_has_its_time_and_its_arm() {
        let (mock, actor) = vendor().await;
        let phase = phase([
            Action::faults(&["status=500"]),
            Action::faults(&["status=501"]).only("other"),
            Action::faults(&["status=502"]).at(Duration::from_millis(200)),
            Action::faults(&["status=503"]).at(Duration::from_millis(100)).only("other"),
        ]);
        let (mut later, begun) = (LaterActions::default(), Instant::now());
        later.begin(phase, "arm", &actor, begun).await.unwrap();
        assert!(faults(&mock).await.contains("status=500"));
        later.finish().await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(200));
        assert!(faults(&mock).await.contains("status=502"));
        let well = self::phase([Action::faults(&[])]);
        later.begin(well, "arm", &actor, begun).await.unwrap();
        assert!(!faults(&mock).await.contains("status"));
    }

    #[tokio::test]
    async fn an_action_that_fails_is_named() {
        let (_mock, actor) = vendor().await;
        let soon = Duration::from_millis(50);
        for (action, named) in [
            (Action::call("PUT", "/debug/nothing", "{}"), "PUT /debug/nothing {} failed: status 404"),
            (Action::faults(&["explode"]), r#"POST /debug/faults {"faults":["explode"]} failed: status 400"#),
            (Action::signal(process::Signal::Term), "SIGTERM failed"),
        ] {
            let mut later = LaterActions::default();
            let at_once = later.begin(phase([action.clone()]), "arm", &actor, Instant::now()).await;
            assert!(at_once.unwrap_err().to_string().starts_with(named), "{action:?}");
            later.begin(phase([action.clone().at(soon)]), "arm", &actor, Instant::now()).await.unwrap();
            assert!(later.failed().is_none(), "it is not due yet");
            assert!(later.finish().await.unwrap_err().to_string().starts_with(named), "{action:?}");
        }
    }
}
