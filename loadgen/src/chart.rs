//! Charts of a result, as SVG: latency over time with the streams open, goodput over time, the distribution of latency, and
//! the staircase of a diagnosis.
//!
//! The same chart serves a page, which brings [`page_style`], and as a picture by itself ([`Scheme::Light`],
//! [`Scheme::Dark`]). It is well-formed XML, has no script and no link, and says what it shows in its `aria-label`.
//! Whatever comes from a result file is escaped. The same result always makes the same text.

mod axis;
mod distribution;
mod elements;
mod goodput;
mod latency;
mod layout;
mod legend;
mod phases;
mod picture;
mod probes;
mod scheme;
mod series;
mod staircase;
mod streams;
mod style;
#[cfg(test)]
mod tests;
mod timeline;

pub use distribution::{distribution_svg, waiting_svgs};
pub use goodput::goodput_svg;
pub use picture::picture;
pub use probes::probes;
pub use scheme::Scheme;
pub use staircase::staircase_svg;
pub use style::page_style;
pub use timeline::timeline_svg;
