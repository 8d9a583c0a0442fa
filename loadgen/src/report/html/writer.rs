//! HTML that is escaped unless this program wrote it.

use crate::markup::escape;

/// A piece of a page. Tags and names of attributes are literals of this program; everything else is escaped, so that
/// nothing that comes from a server or from a file can become markup.
#[derive(Debug)]
pub(super) struct Html {
    markup: String,
    /// The text in it, for the search for words that need an explanation.
    text: String,
    /// The heading of its parts: an index into [`HEADINGS`].
    level: usize,
}

/// The headings below that of a section.
const HEADINGS: [&str; 4] = ["h3", "h4", "h5", "h6"];

impl Default for Html {
    fn default() -> Self {
        Html::at(0)
    }
}

/// Attributes: names with values.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Html {
    fn at(level: usize) -> Self {
        Html { markup: String::new(), text: String::new(), level: level.min(HEADINGS.len() - 1) }
    }

    /// A part with a heading of its own, unless nothing is written in it.
    pub(super) fn part(&mut self, title: &str, inside: impl FnOnce(&mut Html)) {
        let mut content = Html::at(self.level + 1);
        inside(&mut content);
        if !content.is_empty() {
            self.leaf(HEADINGS[self.level], &[], title);
            self.append(content);
        }
    }

    /// An element with what `inside` writes.
    pub(super) fn element(&mut self, tag: &'static str, attributes: Attributes, inside: impl FnOnce(&mut Html)) {
        self.open(tag, attributes);
        inside(self);
        self.markup.push_str("</");
        self.markup.push_str(tag);
        self.markup.push('>');
        if !INLINE.contains(&tag) {
            self.markup.push('\n');
            self.text.push('\n');
        }
    }

    /// An element with this text.
    pub(super) fn leaf(&mut self, tag: &'static str, attributes: Attributes, text: &str) {
        self.element(tag, attributes, |html| html.text(text));
    }

    /// Text.
    pub(super) fn text(&mut self, text: &str) {
        self.markup.push_str(&escape(text));
        self.text.push_str(text);
    }

    /// A word of the format of results, which no term explains.
    pub(super) fn word_of_format(&mut self, word: &str) {
        self.markup.push_str(&format!("<code>{}</code>", escape(word)));
    }

    /// Text in which code stands between backquotes.
    pub(super) fn text_with_code(&mut self, text: &str) {
        let pieces: Vec<_> = text.split('`').collect();
        if pieces.len().is_multiple_of(2) {
            // One of the quotes has no other.
            return self.text(text);
        }
        for (place, piece) in pieces.into_iter().enumerate() {
            if place.is_multiple_of(2) { self.text(piece) } else { self.leaf("code", &[], piece) }
        }
    }

    /// What has been written elsewhere.
    pub(super) fn append(&mut self, other: Html) {
        self.markup.push_str(&other.markup);
        self.text.push_str(&other.text);
    }

    /// A drawing of `chart`, which escapes what it writes by itself. What is written in it is text of the page too.
    pub(super) fn drawing(&mut self, svg: &str) {
        self.markup.push_str(svg);
        svg.split('<').filter_map(|piece| piece.split_once('>')).for_each(|(_, text)| self.text.push_str(text));
    }

    /// Whether nothing has been written.
    pub(super) fn is_empty(&self) -> bool {
        self.markup.is_empty()
    }

    /// The text, without markup.
    pub(super) fn words(&self) -> &str {
        &self.text
    }

    /// The markup.
    pub(super) fn into_markup(self) -> String {
        self.markup
    }

    fn open(&mut self, tag: &'static str, attributes: Attributes) {
        self.markup.push('<');
        self.markup.push_str(tag);
        for (name, value) in attributes {
            self.markup.push(' ');
            self.markup.push_str(name);
            self.markup.push_str("=\"");
            self.markup.push_str(&escape(value));
            self.markup.push('"');
        }
        self.markup.push('>');
    }
}

/// Elements within a line of text, after which a line break would be a space.
const INLINE: [&str; 7] = ["a", "b", "code", "dfn", "kbd", "small", "span"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_values_are_escaped() {
        let mut html = Html::default();
        html.element("td", &[("title", "\"><script>'")], |html| {
            html.text("</td><script>alert('&')</script>");
            html.leaf("b", &[], "5 < 6");
        });
        assert_eq!(
            html.into_markup(),
            "<td title=\"&quot;&gt;&lt;script&gt;&#39;\">&lt;/td&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;\
             <b>5 &lt; 6</b></td>\n"
        );
    }

    #[test]
    fn a_part_has_a_heading_below_that_around_it_and_none_if_it_is_empty() {
        let mut html = Html::default();
        html.part("one", |html| {
            html.part("two", |html| html.text("text"));
            html.part("three", |_| {});
        });
        assert_eq!(html.into_markup(), "<h3>one</h3>\n<h4>two</h4>\ntext");
    }

    #[test]
    fn what_is_written_in_a_drawing_is_text_too() {
        let mut html = Html::default();
        html.drawing("<svg><text x=\"1\">collapse</text><title> of broken</title></svg>");
        assert_eq!(html.words(), "collapse of broken");
    }

    #[test]
    fn code_stands_between_backquotes_if_each_has_another() {
        let markup = |text: &str| {
            let mut html = Html::default();
            html.text_with_code(text);
            html.into_markup()
        };
        assert_eq!(markup("`a < b`, then `c`"), "<code>a &lt; b</code>, then <code>c</code>");
        assert_eq!(markup("a `b"), "a `b");
        assert_eq!(markup("a"), "a");
    }

    #[test]
    fn the_words_are_those_of_the_text_alone() {
        let mut html = Html::default();
        html.element("p", &[("class", "probe")], |html| {
            html.leaf("b", &[], "p99");
            html.text(" of a stream");
        });
        assert_eq!(html.words(), "p99 of a stream\n");
    }
}
