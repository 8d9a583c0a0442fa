//! What the keys of `demo --interactive` do. Pure, so that a test can press them.

use crate::screen::KeyCode;

/// Streams of a large step.
const STEP: u32 = 10;
/// Digits of the largest number that can be typed.
const DIGITS_MAX: usize = 6;

/// What a key asks of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// This many streams on each arm.
    Streams(u32),
    /// The mistake with this place in the list.
    Mistake(usize),
}

/// What is over the arms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum View {
    /// Nothing.
    Arms,
    /// The list of mistakes, with this one selected.
    Mistakes(usize),
    /// The keys.
    Help,
    /// A number of streams that is being typed.
    Number(String),
}

/// What has been asked for by keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Controls {
    /// Streams asked for on each arm.
    pub(super) streams: u32,
    /// The most that there may be.
    streams_max: u32,
    /// Whether more were asked for than that.
    pub(super) at_limit: bool,
    /// The mistake that runs, by its place in the list.
    pub(super) mistake: usize,
    /// Mistakes in the list.
    mistakes: usize,
    /// What is over the arms.
    pub(super) view: View,
    /// Whether the picture stands still.
    pub(super) frozen: bool,
    /// The page of arms.
    pub(super) page: usize,
    /// Whether there was enough of it.
    pub(super) is_over: bool,
}

impl Controls {
    /// No streams yet, and this one of the mistakes.
    pub(super) fn new(streams_max: u32, mistake: usize, mistakes: usize) -> Self {
        Controls {
            streams: 0,
            streams_max,
            at_limit: false,
            mistake,
            mistakes,
            view: View::Arms,
            frozen: false,
            page: 0,
            is_over: false,
        }
    }

    /// Does what a key asks of the screen, and returns what it asks of the session.
    pub(super) fn press(&mut self, key: KeyCode) -> Option<Wish> {
        self.at_limit = false;
        match std::mem::replace(&mut self.view, View::Arms) {
            View::Arms => self.over_arms(key),
            View::Mistakes(selected) => self.over_mistakes(selected, key),
            View::Number(typed) => self.over_number(typed, key),
            // Any key closes it.
            View::Help => None,
        }
    }

    fn over_arms(&mut self, key: KeyCode) -> Option<Wish> {
        match key {
            KeyCode::Char('+' | '=') | KeyCode::Up => return self.set(self.streams.saturating_add(1)),
            KeyCode::Char('-' | '_') | KeyCode::Down => return self.set(self.streams.saturating_sub(1)),
            KeyCode::PageUp | KeyCode::Right => return self.set(self.streams.saturating_add(STEP)),
            KeyCode::PageDown | KeyCode::Left => return self.set(self.streams.saturating_sub(STEP)),
            KeyCode::Char(digit) if digit.is_ascii_digit() => self.view = View::Number(digit.to_string()),
            KeyCode::Char('m' | 'M') => self.view = View::Mistakes(self.mistake),
            KeyCode::Char('?' | 'h') => self.view = View::Help,
            KeyCode::Char('p' | 'P' | ' ') => self.frozen = !self.frozen,
            KeyCode::Char('q' | 'Q') => self.is_over = true,
            KeyCode::Tab => self.page = self.page.wrapping_add(1),
            _ => {}
        }
        None
    }

    fn over_mistakes(&mut self, selected: usize, key: KeyCode) -> Option<Wish> {
        let last = self.mistakes.saturating_sub(1);
        let selected = match key {
            KeyCode::Up => selected.saturating_sub(1),
            KeyCode::Down => (selected + 1).min(last),
            KeyCode::PageUp => selected.saturating_sub(STEP as usize),
            KeyCode::PageDown => (selected + STEP as usize).min(last),
            KeyCode::Home => 0,
            KeyCode::End => last,
            KeyCode::Enter => {
                self.mistake = selected;
                return Some(Wish::Mistake(selected));
            }
            KeyCode::Esc | KeyCode::Char('m' | 'M' | 'q') => return None,
            _ => selected,
        };
        self.view = View::Mistakes(selected);
        None
    }

    fn over_number(&mut self, mut typed: String, key: KeyCode) -> Option<Wish> {
        match key {
            KeyCode::Enter => return self.set_typed(typed.parse().unwrap_or(self.streams)),
            KeyCode::Esc => return None,
            KeyCode::Backspace => {
                typed.pop();
                if typed.is_empty() {
                    return None;
                }
            }
            KeyCode::Char(digit) if digit.is_ascii_digit() && typed.len() < DIGITS_MAX => typed.push(digit),
            _ => {}
        }
        self.view = View::Number(typed);
        None
    }

    /// A number that is too large is likely a mistake, so nothing changes.
    fn set_typed(&mut self, streams: u32) -> Option<Wish> {
        self.at_limit = streams > self.streams_max;
        if self.at_limit { None } else { self.set(streams) }
    }

    fn set(&mut self, streams: u32) -> Option<Wish> {
        self.at_limit = streams > self.streams_max;
        let before = std::mem::replace(&mut self.streams, streams.min(self.streams_max));
        (self.streams != before).then_some(Wish::Streams(self.streams))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(controls: &mut Controls, keys: &[KeyCode]) -> Vec<Wish> {
        keys.iter().filter_map(|key| controls.press(*key)).collect()
    }

    #[test]
    fn keys_add_and_remove_streams_within_the_limits() {
        let mut controls = Controls::new(45, 0, 3);
        let keys = [KeyCode::Char('-'), KeyCode::Up, KeyCode::PageUp, KeyCode::Char('-'), KeyCode::PageDown];
        assert_eq!(press(&mut controls, &keys), [1, 11, 10, 0].map(Wish::Streams));
        let typed = ['4', '0'].map(KeyCode::Char);
        assert_eq!(press(&mut controls, &typed), []);
        assert_eq!(controls.view, View::Number("40".to_owned()));
        assert_eq!(press(&mut controls, &[KeyCode::Enter]), [Wish::Streams(40)]);
        assert_eq!(press(&mut controls, &[KeyCode::Right, KeyCode::Up]), [Wish::Streams(45)]);
        assert!(controls.at_limit);
        press(&mut controls, &[KeyCode::Down]);
        assert!(!controls.at_limit);
        assert_eq!(press(&mut controls, &[KeyCode::Char('4'), KeyCode::Char('6'), KeyCode::Enter]), []);
        assert_eq!((controls.at_limit, controls.streams), (true, 44));
    }

    #[test]
    fn a_number_can_be_corrected_and_given_up() {
        let mut controls = Controls::new(100, 0, 3);
        let corrected = [KeyCode::Char('7'), KeyCode::Char('5'), KeyCode::Backspace, KeyCode::Enter];
        assert_eq!(press(&mut controls, &corrected), [Wish::Streams(7)]);
        assert_eq!(press(&mut controls, &[KeyCode::Char('9'), KeyCode::Esc, KeyCode::Enter]), []);
        assert_eq!((controls.streams, controls.view), (7, View::Arms));
    }

    #[test]
    fn a_mistake_is_picked_from_the_list() {
        let mut controls = Controls::new(100, 1, 3);
        assert_eq!(press(&mut controls, &[KeyCode::Char('m')]), []);
        assert_eq!(controls.view, View::Mistakes(1), "the one that runs");
        assert_eq!(press(&mut controls, &[KeyCode::Down, KeyCode::Down, KeyCode::Enter]), [Wish::Mistake(2)]);
        assert_eq!(press(&mut controls, &[KeyCode::Char('m'), KeyCode::Up, KeyCode::Esc]), []);
        assert_eq!(controls.view, View::Arms);
        press(&mut controls, &[KeyCode::Char('m'), KeyCode::PageUp]);
        assert_eq!(controls.view, View::Mistakes(0));
    }

    #[test]
    fn help_closes_with_any_key_and_the_picture_can_stand_still() {
        let mut controls = Controls::new(100, 0, 3);
        assert_eq!(press(&mut controls, &[KeyCode::Char('?'), KeyCode::Char('+')]), []);
        press(&mut controls, &[KeyCode::Char('p')]);
        assert_eq!((controls.view.clone(), controls.frozen, controls.streams), (View::Arms, true, 0));
        press(&mut controls, &[KeyCode::Char('m'), KeyCode::Char('q')]);
        assert!(!controls.is_over, "it closed the list");
        press(&mut controls, &[KeyCode::Char('q')]);
        assert!(controls.is_over);
    }
}
