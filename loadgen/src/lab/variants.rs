//! Arms of a matrix: one server with several sets of flags.

use super::{Arm, Upstream, flags};

/// What distinguishes an arm of a matrix from the others.
#[derive(Debug, Clone)]
pub struct Variant {
    /// What is added to the name of the arm.
    pub name: String,
    /// More flags of its server, separated by white space.
    pub server: String,
    /// More flags of its vendor, likewise.
    pub vendor: String,
}

impl Variant {
    /// More flags of the server.
    #[must_use]
    pub fn new(name: impl Into<String>, server: impl Into<String>) -> Self {
        Variant { name: name.into(), server: server.into(), vendor: String::new() }
    }

    /// And more flags of its vendor.
    #[must_use]
    pub fn with_vendor(self, vendor: impl Into<String>) -> Self {
        Variant { vendor: vendor.into(), ..self }
    }
}

impl Arm {
    /// An arm for each of `variants`, named after both: `broken-watchdog`.
    #[must_use]
    pub fn in_variants(&self, variants: &[Variant]) -> Vec<Arm> {
        let variant = |variant: &Variant| {
            let arm = self.clone().named(format!("{}-{}", self.name, variant.name)).flags(&variant.server);
            let more = flags(&variant.vendor);
            match &self.upstream {
                Upstream::Vendor(own) => arm.calling(Upstream::Vendor([&own[..], &more].concat())),
                Upstream::Unreachable => arm,
            }
        };
        variants.iter().map(variant).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_adds_flags_to_the_server_and_its_vendor() {
        let base = Arm::broken().flags("--workers 1").calling(Upstream::Vendor(flags("--tokens 5")));
        let variants = [Variant::new("slow", "--attempts 1").with_vendor("--ttft 9s"), Variant::new("plain", "")];
        let arms = base.in_variants(&variants);
        let seen = |arm: &Arm| {
            let vendor = if let Upstream::Vendor(flags) = &arm.upstream { flags.join(" ") } else { String::new() };
            (arm.name.clone(), arm.flags.join(" "), vendor)
        };
        let expected = |name: &str, server: &str, vendor: &str| (name.into(), server.into(), vendor.into());
        assert_eq!(seen(&arms[0]), expected("broken-slow", "--workers 1 --attempts 1", "--tokens 5 --ttft 9s"));
        assert_eq!(seen(&arms[1]), expected("broken-plain", "--workers 1", "--tokens 5"));
    }
}
