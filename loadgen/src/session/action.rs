//! What a person does with one key.

use super::{Session, SessionArm, SessionError};

/// What a person does with one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Adds this many streams to each arm, or takes as many away; at most all.
    ChangeStreams(i32),
    /// Closes all streams.
    NoStreams,
    /// Goes on to the next mistake of the list.
    NextMistake,
    /// Goes back to the one before.
    PreviousMistake,
    /// Checks the health of an arm once.
    Check(SessionArm),
    /// Starts an arm that does not run, and stops one that does.
    StartOrStop(SessionArm),
}

impl Session {
    /// Does what `action` says.
    ///
    /// # Errors
    /// [`SessionError`], to be shown: the session goes on as before.
    pub fn act(&self, action: Action) -> Result<(), SessionError> {
        let state = self.state();
        match action {
            Action::ChangeStreams(by) => self.set_streams(state.streams.saturating_add_signed(by)),
            Action::NoStreams => self.set_streams(0),
            Action::NextMistake => self.set_mistake(self.neighbour(&state.mistake, 1)),
            Action::PreviousMistake => self.set_mistake(self.neighbour(&state.mistake, self.mistakes().len() - 1)),
            Action::Check(arm) => self.check(arm).map(|_| ()),
            Action::StartOrStop(arm) => {
                let runs = state.arms.get(&arm).is_some_and(|arm| arm.running || arm.starting);
                if runs {
                    self.stop_arm(arm)
                } else {
                    self.start_arm(arm)
                }
                Ok(())
            }
        }
    }

    /// The name of the mistake that is `further` places further in the list, which begins anew at its end.
    fn neighbour(&self, name: &str, further: usize) -> &str {
        let mistakes = self.mistakes();
        let at = mistakes.iter().position(|mistake| mistake.name == name).unwrap_or(0);
        &mistakes[(at + further) % mistakes.len()].name
    }
}
