//! What the rule finds, and what a person should do about it.

use super::seen::Seen;
use crate::result::{Confidence, Diagnosis, DiagnosisDefault, DiagnosisForm, DiagnosisKind, DiagnosisPlatform};

/// What `--pid` adds, for [`Finding::surer_with`].
pub(super) const PID: &str = "--pid PID of the server, for its threads and its processor time";

/// What limits a server.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) kind: DiagnosisKind,
    pub(super) form: Option<DiagnosisForm>,
    pub(super) limit: Option<u64>,
    pub(super) streams_at_collapse: Option<u64>,
    pub(super) confidence: Confidence,
    /// What would make it surer.
    pub(super) surer_with: Option<&'static str>,
    /// What was seen, in sentences.
    pub(super) evidence: Vec<String>,
}

/// What a person should do, and a few sentences about what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Advice {
    /// At most three sentences that can be pasted into a ticket.
    pub(super) finding: String,
    /// Whose default the limit is, what to change, and why a larger number is not the fix.
    pub(super) advice: String,
    /// The lab that shows this kind of limit.
    pub(super) lab: Option<String>,
    /// How sure the finding is, with what is known of the platform.
    pub(super) confidence: Confidence,
    /// The platform that the server runs on, where it is known.
    pub(super) platform: Option<DiagnosisPlatform>,
    /// The default that the limit is, where it is one.
    pub(super) default: Option<DiagnosisDefault>,
}

impl Finding {
    pub(super) fn new(kind: DiagnosisKind, form: Option<DiagnosisForm>, confidence: Confidence) -> Self {
        Finding {
            kind,
            form,
            limit: None,
            streams_at_collapse: None,
            confidence,
            surer_with: None,
            evidence: Vec::new(),
        }
    }

    /// What was seen fits no kind, or several.
    pub(super) fn inconclusive() -> Self {
        Finding::new(DiagnosisKind::Inconclusive, None, Confidence::Low)
    }

    /// With the limit, and the number of streams at the collapse.
    pub(super) fn limit(self, limit: u64, streams: u64) -> Self {
        Finding { limit: Some(limit), streams_at_collapse: Some(streams), ..self }
    }

    /// Whether a request holds a thread for a part of its time only, so that more streams flow than there are threads.
    pub(super) fn is_held_for_a_part(&self) -> bool {
        self.form == Some(DiagnosisForm::InnerPool) && self.limit != self.streams_at_collapse
    }

    /// With the number of streams at the collapse, where the limit is not known.
    pub(super) fn collapsed_at(self, streams: u64) -> Self {
        Finding { streams_at_collapse: Some(streams), ..self }
    }

    /// With what would make it surer.
    pub(super) fn surer(self, with: &'static str) -> Self {
        Finding { surer_with: Some(with), ..self }
    }

    /// Less sure, because of what would make it surer.
    pub(super) fn at_most(self, confidence: Confidence, surer_with: &'static str) -> Self {
        if self.confidence <= confidence {
            return self;
        }
        Finding { confidence, surer_with: Some(surer_with), ..self }
    }

    /// The result: with what to do, and what was seen.
    pub(super) fn into_diagnosis(self, seen: Seen, advice: Advice, recovered_after_s: Option<f64>) -> Diagnosis {
        Diagnosis {
            kind: self.kind,
            form: self.form,
            limit: self.limit,
            streams_at_collapse: self.streams_at_collapse,
            confidence: advice.confidence,
            surer_with: self.surer_with.filter(|_| advice.confidence < Confidence::High).map(str::to_owned),
            finding: advice.finding,
            evidence: self.evidence,
            advice: advice.advice,
            lab: advice.lab,
            platform: advice.platform,
            default: advice.default,
            rejected: seen.rejected.iter().map(|(status, count)| (status.to_string(), *count)).collect(),
            failed: seen.failed,
            levels: seen.levels,
            recovered_after_s,
        }
    }
}
