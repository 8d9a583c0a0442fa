//! What is known of a platform: how it takes requests, by which headers it is recognised, and which limits it has when
//! nobody has set them.

use crate::result::{DiagnosisForm, DiagnosisKind};

/// A server, a framework or a client library.
#[derive(Debug)]
pub struct Platform {
    /// Its name for `--platform`.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// The language of what runs on it; empty where that can be any.
    pub language: &'static str,
    /// How it takes requests.
    pub serving: Serving,
    /// Headers of its answers: a name, and how its value begins, both in lower case.
    pub signs: &'static [(&'static str, &'static str)],
    /// What it limits by default; empty if it limits nothing.
    pub limits: &'static [Limit],
    /// Where to read how it takes requests, and what headers it sends: a URL, or a repository and a file in it.
    pub source: &'static str,
}

impl Platform {
    /// What people call it; a library with its language: `httpx (Python)`.
    #[must_use]
    pub fn full_title(&self) -> String {
        match self.serving {
            Serving::Client if !self.language.is_empty() => format!("{} ({})", self.title, self.language),
            _ => self.title.to_owned(),
        }
    }
}

/// How requests are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serving {
    /// A thread or process of a limited number takes each request, from its first byte to its last.
    Workers,
    /// One or a few event loops take all requests.
    EventLoop,
    /// A thread or a goroutine is made for each request.
    Unlimited,
    /// Neither, or it depends on the server that runs it.
    Either,
    /// It hands them on to a server of which nothing is known.
    Proxy,
    /// It takes none: it makes calls.
    Client,
}

/// A limit that nobody has set.
#[derive(Debug)]
pub struct Limit {
    /// What there is a limited number of.
    pub what: &'static str,
    /// The kind of finding to which it leads.
    pub kind: DiagnosisKind,
    /// The form of that kind.
    pub form: Option<DiagnosisForm>,
    /// How many there are.
    pub default: DefaultNumber,
    /// What to set for another number.
    pub setting: &'static str,
    /// Why a larger number is not the fix.
    pub larger: &'static str,
    /// What is.
    pub fix: &'static str,
    /// The lab that shows it, where that is another than the kind's.
    pub lab: Option<&'static str>,
    /// Where the number was read: a URL, or a repository and a file in it.
    pub source: &'static str,
}

/// A number that nobody has set.
#[derive(Debug, Clone, Copy)]
pub enum DefaultNumber {
    /// The same everywhere.
    Count(u64),
    /// One of these, by version or build.
    OneOf(&'static [u64]),
    /// It depends on the number of processors: how, in words, and as a function.
    OfProcessors(&'static str, fn(u64) -> u64),
    /// The limit is not a number.
    NoNumber,
}

impl DefaultNumber {
    /// The numbers that it can be, with this number of processors, where it is known.
    #[must_use]
    pub fn counts(self, processors: Option<u64>) -> Vec<u64> {
        match self {
            DefaultNumber::Count(count) => vec![count],
            DefaultNumber::OneOf(counts) => counts.to_vec(),
            DefaultNumber::OfProcessors(_, count) => processors.map(count).into_iter().collect(),
            DefaultNumber::NoNumber => Vec::new(),
        }
    }

    /// In words: `40`, `5 or 16`, `min(32, processors + 4)`.
    #[must_use]
    pub fn text(self) -> String {
        let numbers = |counts: &[u64]| counts.iter().map(|count| crate::numbers::count(*count)).collect::<Vec<_>>();
        match self {
            DefaultNumber::Count(count) => crate::numbers::count(count),
            DefaultNumber::OneOf(counts) => numbers(counts).join(" or "),
            DefaultNumber::OfProcessors(text, _) => text.to_owned(),
            DefaultNumber::NoNumber => "none".to_owned(),
        }
    }

    /// The same with what it comes to on a machine with this number of processors: `512 / processors: 256 here`.
    #[must_use]
    pub fn text_on(self, processors: Option<u64>) -> String {
        match (self, processors) {
            (DefaultNumber::OfProcessors(text, count), Some(processors)) => {
                format!("{text}: {} here", crate::numbers::count(count(processors)))
            }
            _ => self.text(),
        }
    }
}

impl Limit {
    /// Whether it leads to a finding of this kind and form.
    #[must_use]
    pub fn leads_to(&self, kind: DiagnosisKind, form: Option<DiagnosisForm>) -> bool {
        self.kind == kind && (self.form == form || self.form.is_none())
    }
}
