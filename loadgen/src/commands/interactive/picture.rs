//! What is on the screen of `demo --interactive`.

use std::sync::Arc;

use ratatui_core::terminal::Frame as Screen;

use super::controls::{Controls, View};
use crate::dashboard::{self, Entry, Key, Look, Message, Tone};
use crate::live::Frame;
use crate::numbers::count;
use crate::session::{Session, SessionState, StreamsLimit};

/// The keys in the last line, those first that matter where there is no room for all.
const KEYS: [(&str, &str); 7] = [
    ("?", "help"),
    ("q", "quit"),
    ("\u{2191}\u{2193}", "streams"),
    ("m", "mistake"),
    ("PgUp PgDn", "ten"),
    ("0-9", "number"),
    ("p", "freeze"),
];
/// All keys, with what they do, in words that fit on 40 columns.
const HELP: [(&str, &str); 7] = [
    ("\u{2191} \u{2193} + -", "one stream more or less"),
    ("PgUp PgDn", "ten streams more or less"),
    ("0-9", "type a number of streams"),
    ("m", "pick the mistake"),
    ("p", "freeze the picture"),
    ("Tab", "next page of servers"),
    ("q", "stop all, and sum up"),
];

/// A picture. It is drawn again when the screen is resized.
#[derive(Clone)]
pub(super) struct Picture {
    frame: Frame,
    look: Look,
    view: View,
    /// The mistake that is selected in the list.
    mistakes: Arc<[Entry]>,
    limit: StreamsLimit,
}

impl Picture {
    /// The picture of a session in which nothing has happened yet.
    pub(super) fn new(session: &Session, colour: bool) -> Self {
        let keys = KEYS.map(|(key, does)| Key { key, does }).to_vec();
        let entry = |mistake: &crate::session::Mistake| Entry {
            name: mistake.name.clone(),
            explanation: mistake.symptom.clone(),
        };
        Picture {
            frame: Frame::default(),
            look: Look { title: "demo --interactive".to_owned(), colour, keys, ..Look::default() },
            view: View::Arms,
            mistakes: session.mistakes().iter().map(entry).collect(),
            limit: session.streams_limit().clone(),
        }
    }

    /// Brings it up to date, unless it stands still.
    pub(super) fn update(&mut self, session: &Session, state: &SessionState, controls: &Controls) {
        if !controls.frozen {
            self.frame = session.with_frame(dashboard::shown);
        }
        self.view = controls.view.clone();
        self.look.page = controls.page;
        self.look.notice = Some(self.notice(state, controls));
    }

    /// Draws it.
    pub(super) fn draw(&self, screen: &mut Screen<'_>) {
        dashboard::draw(&self.frame, screen, &self.look);
        match &self.view {
            View::Mistakes(selected) => {
                let title = "Mistake (Enter: run it)";
                dashboard::draw_list(screen, title, &self.mistakes, *selected, &self.look);
            }
            View::Help => dashboard::draw_keys(screen, "Keys", &HELP, &self.look),
            View::Arms | View::Number(_) => {}
        }
    }

    /// The second line: what needs an answer, then what went wrong, then what runs.
    fn notice(&self, state: &SessionState, controls: &Controls) -> Message {
        let message = |tone, text: String| Message { text, tone };
        if let View::Number(typed) = &controls.view {
            return message(Tone::Strong, format!("Streams: {typed}_  Enter: open them, Esc: cancel"));
        }
        if controls.at_limit {
            return message(
                Tone::Bad,
                format!("At most {} streams. {}", count(self.limit.max.into()), self.limit.reason),
            );
        }
        if controls.frozen {
            return message(Tone::Strong, "The picture stands still, the load goes on. p: go on".to_owned());
        }
        let failed = state.arms.iter().find_map(|(arm, state)| Some(format!("{arm}: {}", state.error.as_ref()?)));
        if let Some(text) = failed.or_else(|| state.notice.clone()) {
            return message(Tone::Bad, text);
        }
        if state.starting {
            return message(Tone::Plain, "Starting the programs.".to_owned());
        }
        let symptom = self.mistakes.iter().find(|entry| entry.name == state.mistake);
        let symptom = symptom.map_or(String::new(), |entry| format!(": {}", entry.explanation));
        message(Tone::Plain, format!("{}{symptom}", state.mistake))
    }
}
