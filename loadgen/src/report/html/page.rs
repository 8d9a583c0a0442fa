//! The page: the template, its sections with a table of contents, and each term explained where it first appears.

use super::terms::{Term, Unexplained};
use super::writer::Html;
use crate::chart::page_style;
use crate::markup::escape;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");

/// A page that is being written.
#[derive(Debug, Default)]
pub(super) struct Page {
    head: Html,
    contents: Vec<(String, String)>,
    sections: Html,
    unexplained: Unexplained,
}

impl Page {
    /// A page about diagnoses, some words of which mean something else than in a lab.
    pub(super) fn of_a_diagnosis() -> Self {
        Page { unexplained: Unexplained::of_a_diagnosis(), ..Page::default() }
    }

    /// What comes first: the verdict. `class` is that of the verdict.
    pub(super) fn head(&mut self, class: &str, inside: impl FnOnce(&mut Html)) {
        let mut head = Html::default();
        inside(&mut head);
        let terms = self.unexplained.first_in(head.words());
        self.head.element("header", &[("class", &format!("verdict {class}"))], |html| {
            html.append(head);
            explain(html, &terms);
        });
    }

    /// A section, unless nothing is written in it.
    pub(super) fn section(&mut self, id: &str, title: &str, inside: impl FnOnce(&mut Html)) {
        let mut content = Html::default();
        inside(&mut content);
        if content.is_empty() {
            return;
        }
        let terms = self.unexplained.first_in(&format!("{title}\n{}", content.words()));
        self.contents.push((id.to_owned(), title.to_owned()));
        let heading = format!("{id}-heading");
        self.sections.element("section", &[("id", id), ("aria-labelledby", &heading)], |html| {
            html.leaf("h2", &[("id", &heading)], title);
            explain(html, &terms);
            html.append(content);
        });
    }

    /// The whole page.
    pub(super) fn finish(self, title: &str) -> String {
        let mut body = Html::default();
        body.append(self.head);
        body.element("nav", &[("aria-label", "Sections")], |html| {
            html.element("ul", &[], |html| {
                for (id, title) in &self.contents {
                    html.element("li", &[], |html| html.leaf("a", &[("href", &format!("#{id}"))], title));
                }
            });
        });
        body.element("main", &[], |html| html.append(self.sections));
        filled(
            TEMPLATE,
            &[
                ("{title}", &escape(title)),
                ("{style}", &format!("{STYLE}{}", page_style())),
                ("{body}", &body.into_markup()),
            ],
        )
    }
}

/// The template with its places filled, from the first to the last: what is filled in is not looked at again.
fn filled(template: &str, places: &[(&str, &str)]) -> String {
    let (mut page, mut rest) = (String::new(), template);
    for (place, content) in places {
        if let Some((before, after)) = rest.split_once(place) {
            page.push_str(before);
            page.push_str(content);
            rest = after;
        }
    }
    page + rest
}

/// A list of terms that opens.
fn explain(html: &mut Html, terms: &[&'static Term]) {
    if terms.is_empty() {
        return;
    }
    let names: Vec<_> = terms.iter().map(|term| term.name).collect();
    html.element("details", &[("class", "terms")], |html| {
        html.leaf("summary", &[], &format!("Words explained: {}", names.join(", ")));
        html.element("dl", &[], |html| {
            for term in terms {
                html.element("div", &[], |html| {
                    html.leaf("dt", &[], term.name);
                    html.leaf("dd", &[], term.meaning);
                });
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_explained_in_the_section_that_is_the_first_to_mention_it() {
        let mut page = Page::default();
        page.head("held", |html| html.leaf("h1", &[], "Held"));
        page.section("one", "One", |html| html.leaf("p", &[], "the p99"));
        page.section("two", "Two", |html| html.leaf("p", &[], "p99 and p90"));
        let page = page.finish("a title");
        let meaning = "99 in 100 values are at most this";
        let (before, after) = page.split_once("<section id=\"two\"").unwrap();
        assert!(before.contains(meaning) && !after.contains(meaning), "{page}");
        assert!(after.contains("Nine in ten values") && !before.contains("Nine in ten values"), "{page}");
    }

    #[test]
    fn an_empty_section_is_left_out() {
        let mut page = Page::default();
        page.section("empty", "Nothing", |_| {});
        assert!(!page.finish("a title").contains("Nothing"));
    }

    #[test]
    fn what_is_filled_in_is_no_template() {
        let mut page = Page::default();
        page.head("held", |html| html.text("{style} {body}"));
        let page = page.finish("{body} <b>");
        assert!(page.contains("<title>{body} &lt;b&gt;</title>"), "{page}");
        assert!(page.contains("{style} {body}") && page.ends_with("</html>\n"), "{page}");
    }
}
