//! One run on a page.

use super::lead;
use super::page::Page;
use super::sections::SECTIONS;
use crate::report::with_calls;
use crate::result::RunResult;

/// The page of one run.
#[must_use]
pub fn page(result: &RunResult) -> String {
    let result = &*with_calls(result);
    let mut page = Page::default();
    page.head(lead::class(&result.verdict), |html| lead::lead(html, result));
    for (id, title, write) in SECTIONS {
        page.section(id, title, |html| write(html, result));
    }
    page.finish(&format!("{}: {}", lead::subject(result), result.verdict.result.as_str()))
}
