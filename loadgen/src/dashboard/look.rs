//! How the dashboard looks, and what it shows besides the frame.

use ratatui_core::style::{Color, Modifier, Style};

/// What is drawn around a frame, and whether in colour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// The command, at the top left: `demo`, `lab pool-exhaustion`.
    pub title: String,
    /// Whether there is colour. What a colour says, a word or a shape says too.
    pub colour: bool,
    /// The page that is shown where the arms do not fit on one, from 0. After the last comes the first.
    pub page: usize,
    /// The keys that work.
    pub keys: Vec<Key>,
    /// What came of a run that is over, in place of the time left.
    pub outcome: Option<Message>,
    /// What is to be known now, in place of the time left.
    pub notice: Option<Message>,
    /// Whether nothing but probes is sent, so that there are no streams to be shown.
    pub probes_only: bool,
}

/// A key and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The key as on the keyboard: `q`, `Tab`.
    pub key: &'static str,
    /// What it does: `quit`.
    pub does: &'static str,
}

/// A line for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The line.
    pub text: String,
    /// What it means.
    pub tone: Tone,
}

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    Plain,
    /// A heading.
    Strong,
    /// Less important.
    Faint,
    /// Answered in less than 100 ms.
    Good,
    /// Answered later.
    Slow,
    /// Not answered, or with a failure.
    Bad,
}

impl Look {
    /// The style of text with this meaning: one colour a meaning, and none without colour.
    #[must_use]
    pub fn style(&self, tone: Tone) -> Style {
        let plain = Style::new();
        match tone {
            Tone::Strong => plain.add_modifier(Modifier::BOLD),
            Tone::Faint => plain.add_modifier(Modifier::DIM),
            Tone::Bad if !self.colour => plain.add_modifier(Modifier::BOLD),
            Tone::Good if self.colour => plain.fg(Color::Green),
            Tone::Slow if self.colour => plain.fg(Color::Yellow),
            Tone::Bad => plain.fg(Color::Red),
            Tone::Plain | Tone::Good | Tone::Slow => plain,
        }
    }
}
