//! Whole distributions, so that runs of several machines can be added exactly.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The histograms of some latencies, by the name of their percentiles' field: `latency_ms`, `inter_token_ms`. Those of
/// which nothing was recorded are absent.
pub type Histograms = BTreeMap<String, EncodedHistogram>;

/// An HDR histogram of microseconds: HdrHistogram's V2 encoding, compressed, in base64. What other tools read:
/// `HdrHistogram.decode(text)` in Python, `hdr.decodeFromCompressedBase64(text)` in JavaScript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EncodedHistogram(pub String);
