//! Arms: the servers of a lab.

/// One server of a lab, with a vendor of its own.
#[derive(Debug)]
pub struct Arm {
    /// Its name in results; the first word is its side: `broken`, `broken-160`, `control`, `fixed`.
    pub name: &'static str,
    /// Its program.
    pub program: &'static str,
    /// Its flags, besides `--listen`, `--upstream` and `--allow-mock-headers`.
    pub args: &'static [&'static str],
    /// Its upstream.
    pub upstream: Upstream,
    /// Whether it has another fault than its side implies, so that the general claims do not apply.
    pub faulty: bool,
}

/// The upstream of a server.
#[derive(Debug, Clone, Copy)]
pub enum Upstream {
    /// A mock vendor with these flags, after those of all vendors of the lab.
    Vendor(&'static [&'static str]),
    /// An address on which nothing listens.
    Unreachable,
}

impl Arm {
    /// broken-server under this name, with these flags.
    #[must_use]
    pub const fn actix(name: &'static str, args: &'static [&'static str]) -> Self {
        Arm { name, program: "broken-server", args, upstream: Upstream::Vendor(&[]), faulty: false }
    }

    /// fixed-server, with these flags.
    #[must_use]
    pub const fn fixed(args: &'static [&'static str]) -> Self {
        Arm { name: "fixed", program: "fixed-server", args, upstream: Upstream::Vendor(&[]), faulty: false }
    }

    /// The same with another fault.
    #[must_use]
    pub const fn faulty(self) -> Self {
        Arm { faulty: true, ..self }
    }

    /// The same with another upstream.
    #[must_use]
    pub const fn calling(self, upstream: Upstream) -> Self {
        Arm { upstream, ..self }
    }

    /// Its flags with `--mistake other` instead of `--mistake own`.
    pub(crate) fn with_mistake<'a>(&'a self, own: &str, other: Option<&'a str>) -> Vec<&'a str> {
        let named = |index: usize| index > 0 && self.args[index - 1] == "--mistake" && self.args[index] == own;
        let args = self.args.iter().enumerate();
        args.map(|(index, arg)| other.filter(|_| named(index)).unwrap_or(arg)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_mistake_replaces_only_the_labs_own() {
        let arm = Arm::actix("broken", &["--mistake", "pool-per-chunk", "--blocking-threads", "8"]);
        let mine = ["--mistake", "mine", "--blocking-threads", "8"];
        assert_eq!(arm.with_mistake("pool-per-chunk", Some("mine")), mine);
        assert_eq!(arm.with_mistake("pool-per-chunk", None), arm.args);
        assert_eq!(arm.with_mistake("pool-exhaustion", Some("mine")), arm.args);
    }
}
