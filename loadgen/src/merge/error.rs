//! Why runs cannot be merged.

use crate::measure::HistogramError;

/// Why runs cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// There is no run.
    #[error("there is nothing to merge")]
    Nothing,
    /// A file of another command.
    #[error("{file}: it is of `loadgen {command}`, and only results of `loadgen run` can be merged")]
    NotARun {
        /// The file.
        file: String,
        /// Its command.
        command: String,
    },
    /// A file without what merging needs.
    #[error(
        "{file}: it has no {what}, so it cannot be merged: it was written by an older loadgen; \
         run the command again with this one"
    )]
    Older {
        /// The file.
        file: String,
        /// What is missing.
        what: String,
    },
    /// A histogram that cannot be used.
    #[error("{file}: the histogram of {field}: {why}; run the command again with --out")]
    Histogram {
        /// The file.
        file: String,
        /// Its field: `inter_token_ms`.
        field: String,
        /// The reason.
        why: HistogramError,
    },
    /// Runs with another load, or another target.
    #[error(
        "{file}: {parameter} is {value}, and in {first} it is {first_value}: only runs with the same target and the same \
         load are merged (only `seed` may differ)"
    )]
    Differ {
        /// The file that differs.
        file: String,
        /// The parameter, as in the result.
        parameter: String,
        /// Its value.
        value: String,
        /// The first file.
        first: String,
        /// Its value there.
        first_value: String,
    },
    /// The same run twice.
    #[error("{file}: it has the same run as {first}, and each run is counted once: name each file once")]
    Twice {
        /// The file.
        file: String,
        /// The other one.
        first: String,
    },
    /// Runs at different times.
    #[error(
        "{file}: it started {minutes:.0} minutes before or after {first}, by the clocks of the machines: the runs of one \
         load start within an hour"
    )]
    Apart {
        /// The file.
        file: String,
        /// The other one.
        first: String,
        /// Minutes between their starts.
        minutes: f64,
    },
    /// An objective that cannot be read.
    #[error("{file}: parameters.objectives: {why}")]
    Objective {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}
