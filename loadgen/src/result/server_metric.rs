//! A metric that a server shows of itself.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a metric and the labels that its samples must have; those that have more are summed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricName {
    /// The name of its samples, with the suffix of its type: `llm_retries_total`.
    pub name: String,
    /// Labels and their values.
    pub labels: BTreeMap<String, String>,
}

/// Its value in a phase, summed over the servers of the arm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MetricStats {
    /// At the end of the phase.
    pub value: f64,
    /// From the start of the phase, its ramp included, to its end. A server that was restarted counts from 0.
    pub increase: f64,
}

impl MetricName {
    /// The metric of this name, whatever its labels.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        MetricName { name: name.into(), labels: BTreeMap::new() }
    }

    /// Of its samples, those with this label.
    #[must_use]
    pub fn with(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(label.into(), value.into());
        self
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (index, (label, value)) in self.labels.iter().enumerate() {
            write!(f, "{}{label}={value:?}", if index == 0 { "{" } else { "," })?;
        }
        if self.labels.is_empty() { Ok(()) } else { f.write_str("}") }
    }
}
