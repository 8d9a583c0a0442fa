//! Arms: the servers of a lab.

use std::time::Duration;

use super::deployment::Deployment;
use super::flags::flags;
use crate::result::Side;

/// One server of a lab, with a vendor of its own.
#[derive(Debug, Clone)]
pub struct Arm {
    /// Its name in results; the first word is usually its side: `broken`, `broken-160`, `control`, `fixed`.
    pub name: String,
    /// Its side of the comparison.
    pub side: Side,
    /// Its program.
    pub server: Server,
    /// Its flags, besides `--mistake`, `--listen`, `--upstream` and `--allow-mock-headers`.
    pub flags: Vec<String>,
    /// Flags that only the lab's own mistake has.
    pub mistake_flags: Vec<String>,
    /// How its server runs.
    pub deployment: Deployment,
    /// Its upstream.
    pub upstream: Upstream,
    /// How much later its loads begin than those of the other arms.
    pub loads_later: Duration,
    /// Whether it has another fault than its side implies, so that the general claims do not apply.
    pub faulty: bool,
}

/// The program of an arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// broken-server with the lab's own mistake.
    OwnMistake,
    /// broken-server with this mistake, or `none`.
    Mistake(String),
    /// fixed-server.
    Fixed,
}

/// The upstream of a server.
#[derive(Debug, Clone)]
pub enum Upstream {
    /// A mock vendor with these flags, after those of all vendors of the lab.
    Vendor(Vec<String>),
    /// An address on which nothing listens.
    Unreachable,
}

impl Arm {
    /// broken-server with the lab's mistake.
    #[must_use]
    pub fn broken() -> Self {
        Self::new(Side::Broken, Server::OwnMistake)
    }

    /// broken-server without a mistake.
    #[must_use]
    pub fn control() -> Self {
        Self::new(Side::Control, Server::Mistake("none".to_owned()))
    }

    /// fixed-server.
    #[must_use]
    pub fn fixed() -> Self {
        Self::new(Side::Fixed, Server::Fixed)
    }

    fn new(side: Side, server: Server) -> Self {
        Arm {
            name: side.as_str().to_owned(),
            side,
            server,
            flags: Vec::new(),
            mistake_flags: Vec::new(),
            deployment: Deployment::Single,
            upstream: Upstream::Vendor(Vec::new()),
            loads_later: Duration::ZERO,
            faulty: false,
        }
    }

    /// The same under another name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Arm { name: name.into(), ..self }
    }

    /// The same as broken-server with this mistake, which is not the lab's own.
    #[must_use]
    pub fn running(self, mistake: &str) -> Self {
        Arm { server: Server::Mistake(mistake.to_owned()), ..self }
    }

    /// The same with these flags as well, separated by white space.
    #[must_use]
    pub fn flags(mut self, line: impl AsRef<str>) -> Self {
        self.flags.extend(flags(line.as_ref()));
        self
    }

    /// The same with these flags as well, which only the lab's own mistake has. Another one in its place, such as `none`,
    /// would reject them.
    #[must_use]
    pub fn mistake_flags(mut self, line: impl AsRef<str>) -> Self {
        self.mistake_flags.extend(flags(line.as_ref()));
        self
    }

    /// The same with another fault.
    #[must_use]
    pub fn faulty(self) -> Self {
        Arm { faulty: true, ..self }
    }

    /// The same, run in this way.
    #[must_use]
    pub fn deployed(self, deployment: &Deployment) -> Self {
        Arm { deployment: deployment.clone(), ..self }
    }

    /// The same with another upstream.
    #[must_use]
    pub fn calling(self, upstream: Upstream) -> Self {
        Arm { upstream, ..self }
    }

    /// The same, whose loads begin this much later in each phase: for work that would take the processor from other arms.
    #[must_use]
    pub fn loads_later(self, loads_later: Duration) -> Self {
        Arm { loads_later, ..self }
    }

    /// The mistake of its server in the lab of this name, or `none`, if it is broken-server. `mistake` replaces the lab's
    /// own.
    pub(crate) fn mistake<'a>(&'a self, lab: &'a str, mistake: Option<&'a str>) -> Option<&'a str> {
        match &self.server {
            Server::OwnMistake => Some(mistake.unwrap_or(lab)),
            Server::Mistake(other) => Some(other),
            Server::Fixed => None,
        }
    }

    /// Its program, and its flags in the lab of this name. `mistake` replaces the lab's own.
    pub(crate) fn command(&self, lab: &str, mistake: Option<&str>) -> (&'static str, Vec<String>) {
        let mistake = self.mistake(lab, mistake);
        let program = if mistake.is_some() { "broken-server" } else { "fixed-server" };
        let own = if mistake == Some(lab) { &self.mistake_flags[..] } else { &[] };
        let mistake = mistake.into_iter().flat_map(|mistake| ["--mistake".to_owned(), mistake.to_owned()]);
        (program, mistake.chain(self.flags.iter().chain(own).cloned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_mistake_replaces_only_the_labs_own() {
        let command = |arm: &Arm, mistake| arm.command("pool-per-chunk", mistake).1.join(" ");
        let broken = Arm::broken().flags("--blocking-threads 8");
        assert_eq!(command(&broken, Some("mine")), "--mistake mine --blocking-threads 8");
        assert_eq!(command(&broken, None), "--mistake pool-per-chunk --blocking-threads 8");
        let broken = broken.mistake_flags("--per-chunk");
        assert_eq!(command(&broken, None), "--mistake pool-per-chunk --blocking-threads 8 --per-chunk");
        assert_eq!(command(&broken, Some("none")), "--mistake none --blocking-threads 8");
        assert_eq!(
            command(&broken.running("pool-exhaustion"), Some("mine")),
            "--mistake pool-exhaustion --blocking-threads 8"
        );
        assert_eq!(command(&Arm::control(), Some("mine")), "--mistake none");
        assert_eq!(
            Arm::fixed().flags("--attempts 1").command("x", Some("mine")),
            ("fixed-server", flags("--attempts 1"))
        );
    }
}
