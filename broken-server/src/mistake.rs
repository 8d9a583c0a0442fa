//! What there is to know of one mistake. Each has its entry in its own file.

use std::fmt;

use crate::api::Routes;
use crate::settings::Settings;
use crate::state::StartError;

/// What is wrong, and how it shows: one entry of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Mistake {
    /// Its name everywhere: flag, file, lab, chapter.
    pub name: &'static str,
    /// The part of the workshop that it belongs to.
    pub group: Group,
    /// What to look for, in one line.
    pub symptom: &'static str,
    /// Where it is, from this crate's folder.
    pub file: &'static str,
    /// Threads in the blocking pool of each worker, unless the flag says otherwise.
    pub(crate) blocking_threads: u16,
    /// Whether it calls the vendor within the limits of fixed-server, and takes their flags.
    pub(crate) limits: bool,
    /// Ids, in clap, of the flags that are for this mistake only.
    pub(crate) own_flags: &'static [&'static str],
    /// Makes its routes: the contract's, this mistake in them. Done once, at the start.
    pub(crate) routes: fn(&Settings) -> Result<Routes, StartError>,
}

/// A part of the workshop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Nothing is wrong.
    Control,
    /// Threads, pools and the event loop.
    Threads,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Group::Control => "control",
            Group::Threads => "threads",
        })
    }
}
