//! From what limits a server to what a person should do: whose default the number is, why a larger one only moves the
//! limit, the fix, and the lab that shows it.

mod figures;
mod next;
mod number;
mod remedy;
mod sentences;

use super::finding::{Advice, Finding};
use super::platform::{Limit, Recognised};
use super::seen::Seen;
use crate::result::{Confidence, DiagnosisForm, DiagnosisKind, DiagnosisPlatform};
use number::Origin;
use remedy::remedy;

/// What to do about what was found, and how sure it is with what is known of the platform.
pub(super) fn advise(finding: &Finding, seen: &Seen) -> Advice {
    let origin = finding.limit.filter(|_| is_a_setting(finding));
    let origin = origin.map(|limit| number::origin(finding.kind, finding.form, limit, seen));
    let confidence = raised(finding, certain(origin.as_ref()));
    let (advice, lab) = what_to_do(finding, origin.as_ref(), seen);
    let default = origin.as_ref().and_then(|origin| origin.recognised.first());
    Advice {
        finding: sentences::sentences(finding, confidence, seen),
        advice,
        lab: lab.map(str::to_owned),
        confidence,
        platform: seen.platform.as_ref().map(|known| DiagnosisPlatform {
            names: known.platforms.iter().map(|platform| platform.name.to_owned()).collect(),
            known_by: known.by(),
        }),
        default: default.map(number::as_result),
    }
}

/// Whether the limit is a number that somebody may have set.
fn is_a_setting(finding: &Finding) -> bool {
    use DiagnosisKind::{Cpu, EventLoopBlocked, NotStreaming};
    let is_vendors = finding.form == Some(DiagnosisForm::Vendor);
    !is_vendors && !matches!(finding.kind, Cpu | EventLoopBlocked | NotStreaming)
}

/// The default of the known platform that the limit is, if it is one: itself, and not a multiple of it.
fn certain(origin: Option<&Origin>) -> Option<&Recognised> {
    origin?.recognised.iter().find(|recognised| recognised.is_known && recognised.times == 1)
}

/// One step surer where platform, kind and number fit together. A number alone, which anybody may have set, makes
/// nothing surer; nor does a 1, which fits anything.
fn raised(finding: &Finding, certain: Option<&Recognised>) -> Confidence {
    const SAYS_SOMETHING_FROM: u64 = 3;
    match (certain, finding.confidence) {
        (Some(recognised), Confidence::Low) if recognised.default >= SAYS_SOMETHING_FROM => Confidence::Medium,
        (Some(recognised), Confidence::Medium) if recognised.default >= SAYS_SOMETHING_FROM => Confidence::High,
        (_, confidence) => confidence,
    }
}

/// The advice in sentences, and the lab.
fn what_to_do(finding: &Finding, origin: Option<&Origin>, seen: &Seen) -> (String, Option<&'static str>) {
    let Some(remedy) = remedy(finding, seen, certain(origin).is_some()) else {
        return match finding.kind {
            DiagnosisKind::NoneFound => (next::after_none(seen), None),
            _ => (next::after_inconclusive(finding, seen), None),
        };
    };
    let of_platform = of_platform(finding, origin, seen);
    let fix = of_platform.map_or(remedy.fix.to_owned(), |limit| format!("The fix: {}", limit.fix));
    let says_more = !remedy.larger.is_empty() && finding.kind != DiagnosisKind::EventLoopBlocked;
    let larger_here = of_platform.filter(|_| says_more).map(|limit| limit.larger);
    let larger = match larger_here {
        Some(here) => format!("{}; and {here}", remedy.larger),
        None => remedy.larger,
    };
    let origin = origin.map(|origin| origin.text.trim_end_matches('.').to_owned()).unwrap_or_default();
    let parts = [origin, larger, fix, remedy.also.to_owned()];
    let text: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).map(|part| part + ".").collect();
    (text.join(" "), of_platform.and_then(|limit| limit.lab).or(remedy.lab))
}

/// The row of the known platform that speaks of this finding: that whose number fits, else the first of its kind.
fn of_platform(finding: &Finding, origin: Option<&Origin>, seen: &Seen) -> Option<&'static Limit> {
    let recognised = origin.and_then(|origin| origin.recognised.iter().find(|recognised| recognised.is_known));
    recognised.map(|recognised| recognised.limit).or_else(|| {
        let known = seen.platform.iter().flat_map(|known| &known.platforms);
        let mut limits = known.flat_map(|platform| platform.limits);
        limits.find(|limit| limit.leads_to(finding.kind, finding.form))
    })
}

#[cfg(test)]
mod tests;
