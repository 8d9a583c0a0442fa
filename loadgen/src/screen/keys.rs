//! What a key means to every dashboard.

use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// End the command, without a verdict.
    Stop,
    /// Suspend the job.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Something of the command's own.
    Other,
    /// Nothing: a key that was released.
    Nothing,
}

/// The meaning of `key`, where `q` and Esc are `own` keys of the command, or as everywhere.
pub(super) fn meaning(key: KeyEvent, own: bool) -> Meaning {
    if key.kind == KeyEventKind::Release {
        return Meaning::Nothing;
    }
    let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if with_control => Meaning::Stop,
        KeyCode::Char('z') if with_control => Meaning::Suspend,
        KeyCode::Char('l') if with_control => Meaning::Redraw,
        KeyCode::Char('q' | 'Q') | KeyCode::Esc if !with_control && !own => Meaning::Stop,
        _ => Meaning::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_keys_of_every_dashboard_have_a_meaning_here() {
        let meaning = |key| meaning(key, false);
        let control = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
        assert_eq!(meaning(control('c')), Meaning::Stop);
        assert_eq!(meaning(control('z')), Meaning::Suspend);
        assert_eq!(meaning(control('l')), Meaning::Redraw);
        for code in [KeyCode::Char('q'), KeyCode::Char('Q'), KeyCode::Esc] {
            assert_eq!(meaning(plain(code)), Meaning::Stop, "{code:?}");
        }
        for key in [control('q'), plain(KeyCode::Char('c')), plain(KeyCode::Up), plain(KeyCode::Char('+'))] {
            assert_eq!(meaning(key), Meaning::Other, "{key:?}");
        }
    }

    #[test]
    fn a_released_key_does_nothing() {
        let released = KeyEvent { kind: KeyEventKind::Release, ..KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE) };
        assert_eq!(meaning(released, false), Meaning::Nothing);
    }

    #[test]
    fn a_command_can_have_all_keys_but_those_of_the_terminal() {
        let escape = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!([escape, interrupt].map(|key| meaning(key, true)), [Meaning::Other, Meaning::Stop]);
    }
}
