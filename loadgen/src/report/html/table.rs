//! Tables of a page. A wide one scrolls by itself, and the keyboard reaches it.

use super::writer::Html;
use crate::result::{ArmResult, NamedArm, Side, TARGET};

/// A table with this caption, for what `inside` writes: its head and its body.
pub(super) fn table(html: &mut Html, caption: &str, inside: impl FnOnce(&mut Html)) {
    of_class(html, "", caption, inside);
}

/// The same; on a phone each row is a card, and its cells have the labels in `data-label`.
pub(super) fn cards(html: &mut Html, caption: &str, inside: impl FnOnce(&mut Html)) {
    of_class(html, "cards", caption, inside);
}

fn of_class(html: &mut Html, class: &str, caption: &str, inside: impl FnOnce(&mut Html)) {
    let region = [("class", "wide"), ("role", "group"), ("aria-label", caption), ("tabindex", "0")];
    html.element("div", &region, |html| {
        html.element("table", &[("class", class)], |html| {
            html.leaf("caption", &[], caption);
            inside(html);
        });
    });
}

/// A row of heads. All but the first are heads of figures.
pub(super) fn heads(html: &mut Html, heads: &[&str]) {
    html.element("thead", &[], |html| {
        html.element("tr", &[], |html| {
            for (index, head) in heads.iter().enumerate() {
                match (index, *head) {
                    // A head without a text is none.
                    (_, "") => html.element("td", &[], |_| {}),
                    (0, head) => html.leaf("th", &[("scope", "col")], head),
                    (_, head) => html.leaf("th", &[("scope", "col"), ("class", "number")], head),
                }
            }
        });
    });
}

/// A figure, or a dash if there is none.
pub(super) fn figure(html: &mut Html, figure: Option<&str>) {
    html.leaf("td", &[("class", "number")], figure.unwrap_or("–"));
}

/// The name of an arm with the line that it has in the charts.
pub(super) fn arm(html: &mut Html, (name, arm): NamedArm) {
    let side = arm.side.map_or("", Side::as_str);
    html.leaf("span", &[("class", &format!("arm {side}"))], title(name, arm));
}

/// What a server is called: its arm, or its address.
pub(super) fn title<'a>(name: &'a str, arm: &'a ArmResult) -> &'a str {
    if name == TARGET { arm.program.trim_start_matches("http://") } else { name }
}

/// A row of a table: its label, which is indented as in the terminal, and a cell for each arm.
pub(super) type Row = (String, Vec<Option<String>>);

/// A table with a column for each server. Rows without a figure are left out, and a table without rows.
pub(super) fn by_arm(html: &mut Html, caption: &str, servers: &[NamedArm], rows: &[Row]) {
    let rows: Vec<_> = rows.iter().filter(|(_, cells)| cells.iter().any(Option::is_some)).collect();
    if rows.is_empty() {
        return;
    }
    table(html, caption, |html| {
        html.element("thead", &[], |html| {
            html.element("tr", &[], |html| {
                html.element("td", &[], |_| {});
                for server in servers {
                    html.element("th", &[("scope", "col"), ("class", "number")], |html| arm(html, *server));
                }
            });
        });
        html.element("tbody", &[], |html| {
            for (label, cells) in rows {
                html.element("tr", &[], |html| {
                    html.leaf("th", &[("scope", "row"), ("class", indent(label))], label.trim_start());
                    cells.iter().for_each(|cell| figure(html, cell.as_deref()));
                });
            }
        });
    });
}

fn indent(label: &str) -> &'static str {
    match label.len() - label.trim_start().len() {
        0 => "",
        1..=3 => "under",
        _ => "under-2",
    }
}

/// A row of one figure of each server.
pub(super) fn row(servers: &[NamedArm], label: &str, of: impl Fn(&ArmResult) -> Option<String>) -> Row {
    (label.to_owned(), servers.iter().map(|(_, arm)| of(arm)).collect())
}
