//! One run on a page.

use super::page::Page;
use super::sections::SECTIONS;
use super::{diagnosis, lead};
use crate::report::with_calls;
use crate::result::RunResult;

/// The page of one run.
#[must_use]
pub fn page(result: &RunResult) -> String {
    let result = &*with_calls(result);
    let mut page = if result.diagnosis.is_some() { Page::of_a_diagnosis() } else { Page::default() };
    page.head(lead::class(&result.verdict), |html| match &result.diagnosis {
        Some(found) => diagnosis::lead(html, result, found),
        None => lead::lead(html, result),
    });
    for (id, title, write) in SECTIONS {
        page.section(id, title, |html| write(html, result));
    }
    let title = match &result.diagnosis {
        Some(found) => diagnosis::title(result, found),
        None => result.verdict.result.as_str().to_owned(),
    };
    page.finish(&format!("{}: {title}", lead::subject(result)))
}
