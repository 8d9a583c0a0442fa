//! A distribution as text in a result file, and back: HdrHistogram's V2 encoding, compressed, in base64. A file may hold
//! anything, so what is read is checked, and takes bounded memory.
//!
//! The library has this too, with a parser of logs that nobody here reads, and trusts what it reads.

use std::io::{Read, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::Latencies;
use super::counts::{read_counts, write_counts};
use crate::result::{EncodedHistogram, Histograms, Quantiles};

/// What compressed and plain V2 begin with (`EncodableHistogram.java` of HdrHistogram).
const COMPRESSED: [u8; 4] = 0x1c84_9314_u32.to_be_bytes();
const PLAIN: [u8; 4] = 0x1c84_9313_u32.to_be_bytes();
/// Bytes of the length that follows each.
const LENGTH: usize = 4;
/// Most bytes of the counts: 24,000 of at most 9 bytes.
const COUNTS_MAX: u64 = 1 << 18;

/// Why a histogram cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistogramError {
    /// It is no base64, no compressed V2, or was cut.
    #[error("it is no histogram in HdrHistogram's V2 encoding, compressed and in base64, or it is damaged")]
    Damaged,
    /// Its values have another range or precision.
    #[error("it is a histogram of another range or precision than those of this loadgen: microseconds, 3 digits, 1 h")]
    OtherRange,
    /// Its percentiles are not those that stand beside it.
    #[error("its percentiles are not those beside it, so one of the two was changed")]
    OtherPercentiles,
}

impl Latencies {
    /// The distribution for a result file; `None` if nothing was recorded.
    #[must_use]
    pub fn encoded(&self) -> Option<EncodedHistogram> {
        if self.count() == 0 {
            return None;
        }
        let counts = write_counts(&self.histogram);
        let plain = [&PLAIN[..], &length(&counts), &Self::range(), &counts].concat();
        let mut compressor = ZlibEncoder::new(Vec::new(), Compression::default());
        let written = compressor.write_all(&plain).and_then(|()| compressor.finish());
        let compressed = written.unwrap_or_else(|error| unreachable!("a Vec takes all: {error}"));
        Some(EncodedHistogram(BASE64_STANDARD.encode([&COMPRESSED[..], &length(&compressed), &compressed].concat())))
    }

    /// The histograms of those that recorded something, by these names.
    #[must_use]
    pub fn histograms<const N: usize>(named: [(&str, &Latencies); N]) -> Histograms {
        named.into_iter().filter_map(|(name, latencies)| Some((name.to_owned(), latencies.encoded()?))).collect()
    }

    /// The distribution that was written as `histogram`, with `quantiles` beside it, which are among `all` durations, or
    /// among those in the histogram.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decoded(
        histogram: Option<&EncodedHistogram>,
        quantiles: &Quantiles,
        all: Option<u64>,
    ) -> Result<Self, HistogramError> {
        let mut latencies = Latencies::new();
        if let Some(EncodedHistogram(text)) = histogram {
            let plain = plain(text)?;
            let counts = plain.strip_prefix(&Self::range()[..]).ok_or(HistogramError::OtherRange)?;
            read_counts(counts, &mut latencies.histogram).ok_or(HistogramError::Damaged)?;
            // The histogram has it to three digits only.
            latencies.max_micros = (quantiles.max * 1000.0).round() as u64;
        }
        let there = latencies.quantiles_among(all.unwrap_or(latencies.count()));
        let pairs = [(there.p50, quantiles.p50), (there.p90, quantiles.p90), (there.p99, quantiles.p99)];
        let alike = pairs.iter().all(|(there, beside)| (there - beside).abs() <= beside.abs() * 1e-9);
        let largest = (there.max - quantiles.max).abs() <= 0.001;
        if alike && largest { Ok(latencies) } else { Err(HistogramError::OtherPercentiles) }
    }

    /// What the encoding says of the values: no shift of them, their digits, the least and the largest, and no factor.
    fn range() -> [u8; 32] {
        let mut range = [0; 32];
        range[4..8].copy_from_slice(&u32::from(Self::DIGITS).to_be_bytes());
        range[8..16].copy_from_slice(&Self::MICROS_MIN.to_be_bytes());
        range[16..24].copy_from_slice(&Self::MICROS_MAX.to_be_bytes());
        range[24..].copy_from_slice(&1.0_f64.to_be_bytes());
        range
    }
}

/// The number of these bytes, as the encoding has it.
fn length(bytes: &[u8]) -> [u8; LENGTH] {
    (bytes.len() as u32).to_be_bytes()
}

/// The range and the counts that this text has, if it is whole.
fn plain(text: &str) -> Result<Vec<u8>, HistogramError> {
    let found = || {
        let bytes = BASE64_STANDARD.decode(text).ok()?;
        let compressed = bytes.strip_prefix(&COMPRESSED)?.get(LENGTH..)?;
        let mut plain = Vec::new();
        ZlibDecoder::new(compressed).take(COUNTS_MAX).read_to_end(&mut plain).ok()?;
        let (says, rest) = plain.strip_prefix(&PLAIN)?.split_at_checked(LENGTH)?;
        let counts = rest.get(Latencies::range().len()..)?;
        (says == length(counts)).then(|| rest.to_vec())
    };
    found().ok_or(HistogramError::Damaged)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn written(latencies: &Latencies) -> Result<Latencies, HistogramError> {
        Latencies::decoded(latencies.encoded().as_ref(), &latencies.quantiles(), None)
    }

    fn parts(latencies: &Latencies) -> (&hdrhistogram::Histogram<u64>, u64) {
        (&latencies.histogram, latencies.max_micros)
    }

    /// By `HdrHistogram` for Python, version 0.10.8: of 1 to 3,600,000,000 with 3 digits, 1 ms to 1,000 ms once each.
    const OF_ANOTHER_TOOL: &str = "HISTFAAAAIl4nJNpmSzMwMB+mgECmKE0I4i4NnkJg/0HiMB5fqaz/ExTOZiesjMtZGH6yAxFy5mYvjNiQSsZmaqZKvHgbCZrILQFk+TRukzSTLJAiCDpz+dn4mXiBmIIRLCwiw5XeXYmVjBkhtKokHjRUf1DXz8zEyMaxBDABYlWSAszRy0ftXxkWA4A0kE/jw==";

    #[test]
    fn what_another_tool_has_written_is_read() {
        let all: Latencies = (1..=1000).map(Duration::from_millis).collect();
        let text = EncodedHistogram(OF_ANOTHER_TOOL.to_owned());
        let read = Latencies::decoded(Some(&text), &all.quantiles(), None).unwrap();
        assert_eq!(parts(&read), parts(&all));
    }

    #[test]
    fn nothing_is_written_of_nothing_and_a_missing_histogram_is_found() {
        assert_eq!(Latencies::new().encoded(), None);
        assert_eq!(written(&Latencies::new()).map(|read| read.count()), Ok(0));
        let quantiles = Quantiles { p50: 1.0, p90: 1.0, p99: 1.0, max: 1.0 };
        assert_eq!(Latencies::decoded(None, &quantiles, None).err(), Some(HistogramError::OtherPercentiles));
    }

    #[test]
    fn what_is_no_histogram_of_this_program_is_refused() {
        let all: Latencies = (1..=1000).map(Duration::from_millis).collect();
        let refused =
            |text: &str| Latencies::decoded(Some(&EncodedHistogram(text.to_owned())), &all.quantiles(), None).err();
        let whole = all.encoded().unwrap().0;
        assert_eq!(refused(&whole), None);
        for damaged in ["", "HIST", "#", &whole[..whole.len() / 8 * 4], &BASE64_STANDARD.encode([0; 64])] {
            assert_eq!(refused(damaged), Some(HistogramError::Damaged), "{damaged}");
        }
        let mut coarse = Latencies::range();
        coarse[7] -= 1;
        assert_eq!(refused(&encoded(&coarse, 0)), Some(HistogramError::OtherRange));
        let others: Latencies = (1..=900).map(Duration::from_millis).collect();
        assert_eq!(refused(&others.encoded().unwrap().0), Some(HistogramError::OtherPercentiles));
    }

    /// A histogram with this range and these counts, which says that they have this length.
    fn encoded(range_and_counts: &[u8], says: u32) -> String {
        let plain = [&PLAIN[..], &says.to_be_bytes(), range_and_counts].concat();
        let mut compressor = ZlibEncoder::new(Vec::new(), Compression::fast());
        compressor.write_all(&plain).unwrap();
        let compressed = compressor.finish().unwrap();
        BASE64_STANDARD.encode([&COMPRESSED[..], &[0; 4], &compressed].concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_read_is_what_was_written(micros in prop::collection::vec(0_u64..4_000_000_000, 1..200)) {
            let latencies: Latencies = micros.into_iter().map(Duration::from_micros).collect();
            let read = written(&latencies).unwrap();
            prop_assert_eq!(parts(&read), parts(&latencies));
        }

        #[test]
        fn whatever_is_read_is_read_or_refused(counts in prop::collection::vec(any::<u8>(), 0..200), wrong in 0_u32..2) {
            let text = EncodedHistogram(encoded(&[&Latencies::range()[..], &counts].concat(), counts.len() as u32 + wrong));
            // It ends, and panics at nothing.
            let _ = Latencies::decoded(Some(&text), &Quantiles::default(), Some(1));
        }
    }
}
