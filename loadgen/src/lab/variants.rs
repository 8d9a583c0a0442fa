//! Arms of a matrix: one mistake with several sets of flags.

use super::{Arm, Upstream, flags};

/// What distinguishes an arm of a matrix from the others.
#[derive(Debug, Clone)]
pub struct Variant {
    /// What is added to the name of the arm.
    pub name: String,
    /// More flags of the mistake, separated by white space.
    pub mistake: String,
    /// More flags of its vendor, likewise.
    pub vendor: String,
}

impl Variant {
    /// More flags of the mistake.
    #[must_use]
    pub fn new(name: impl Into<String>, mistake: impl Into<String>) -> Self {
        Variant { name: name.into(), mistake: mistake.into(), vendor: String::new() }
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
            let arm = self.clone().named(format!("{}-{}", self.name, variant.name)).mistake_flags(&variant.mistake);
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
    fn a_variant_adds_flags_to_the_mistake_and_its_vendor() {
        let base = Arm::broken().flags("--workers 1").calling(Upstream::Vendor(flags("--tokens 5")));
        let variants = [Variant::new("slow", "--causes client").with_vendor("--ttft 9s"), Variant::new("plain", "")];
        let arms = base.in_variants(&variants);
        let seen = |arm: &Arm| {
            let vendor = if let Upstream::Vendor(flags) = &arm.upstream { flags.join(" ") } else { String::new() };
            (arm.name.clone(), [&arm.flags[..], &arm.mistake_flags].concat().join(" "), vendor)
        };
        let expected = |name: &str, server: &str, vendor: &str| (name.into(), server.into(), vendor.into());
        assert_eq!(seen(&arms[0]), expected("broken-slow", "--workers 1 --causes client", "--tokens 5 --ttft 9s"));
        assert_eq!(seen(&arms[1]), expected("broken-plain", "--workers 1", "--tokens 5"));
    }
}
