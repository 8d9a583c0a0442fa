//! What can be chosen on the page.

use serde::Serialize;

use crate::labs;
use crate::session::{Mistake, SINGLES, Session, SessionArm};

/// The name of broken-server without a mistake.
const CONTROL: &str = "none";

/// `GET /api/catalogue`
#[derive(Debug, Serialize)]
pub(super) struct Catalogue<'a> {
    /// Version of loadgen.
    version: &'static str,
    /// The arms, in the order of the page.
    arms: [SessionArm; 2],
    /// All mistakes that broken-server has, the control first, in the order of the workshop.
    mistakes: Vec<MistakeEntry<'a>>,
    /// How many streams are shown one by one.
    singles: usize,
    /// The most streams that each arm can hold on this machine.
    streams_max: u32,
    /// What limits them.
    streams_limit_reason: &'a str,
}

/// A mistake.
#[derive(Debug, Serialize)]
struct MistakeEntry<'a> {
    #[serde(flatten)]
    mistake: &'a Mistake,
    /// Whether streams and health checks show it, as this page sends them.
    shows_here: bool,
    /// What to do here and look at; or what its lab does that this page does not.
    here: &'static str,
    /// Whether it has a lab, and so code to show.
    has_lab: bool,
    /// The lab, which has the name of its mistake.
    lab: Option<LabEntry>,
}

/// A lab.
#[derive(Debug, Serialize)]
struct LabEntry {
    name: &'static str,
    /// The mistake in one sentence.
    mistake: &'static str,
    /// The fix in one sentence.
    fix: &'static str,
    mistake_file: String,
    fix_file: &'static str,
    chapter: String,
    /// The command that runs it.
    command: String,
}

impl<'a> Catalogue<'a> {
    /// That of a session.
    pub(super) fn of(session: &'a Session) -> Self {
        let limit = session.streams_limit();
        Catalogue {
            version: env!("CARGO_PKG_VERSION"),
            arms: SessionArm::ALL,
            mistakes: session.mistakes().iter().map(MistakeEntry::of).collect(),
            singles: SINGLES,
            streams_max: limit.max,
            streams_limit_reason: &limit.reason,
        }
    }
}

impl<'a> MistakeEntry<'a> {
    fn of(mistake: &'a Mistake) -> Self {
        let lab = labs::all().iter().find(|lab| lab.name == mistake.name);
        let here = match lab {
            Some(lab) => lab.by_hand.sentence(),
            None if mistake.name == CONTROL => {
                "Nothing is wrong here: with any number of streams, both health checks stay as fast as without."
            }
            None => "It has no lab yet, so nobody has measured what shows here.",
        };
        let entry = lab.map(|lab| LabEntry {
            name: lab.name,
            mistake: lab.mistake,
            fix: lab.fix,
            mistake_file: lab.mistake_file(),
            fix_file: lab.fix_file,
            chapter: lab.chapter(),
            command: format!("make lab NAME={}", lab.name),
        });
        let shows_here = lab.is_some_and(|lab| lab.by_hand.shows());
        MistakeEntry { mistake, shows_here, here, has_lab: lab.is_some(), lab: entry }
    }
}
