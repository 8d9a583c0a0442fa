//! Where a chart is shown.

/// Where a chart is shown, and in which colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Within a page that has [`page_style`](super::page_style): the page is light or dark, and so is the chart.
    Page,
    /// By itself, in dark colours on white.
    Light,
    /// By itself, in light colours on black.
    Dark,
}
