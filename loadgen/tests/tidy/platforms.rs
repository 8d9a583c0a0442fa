//! The table of platforms in the workshop's page about `diagnose`, made of the data that it decides by. `make lists`
//! writes it.

use std::fmt::Write as _;

use loadgen::diagnose::platform::{ALL, Limit, Platform, Serving};

use crate::entry::Missing;
use crate::made_part::MadePart;
use crate::tree::Tree;

/// The page.
pub(crate) const FILE: &str = "workshop/src/diagnose.md";
const TABLE: MadePart = MadePart {
    marks: ["<!-- platforms: written by `make lists` -->\n", "<!-- end of platforms -->\n"],
    form: "table",
    of: "platforms",
};

/// The page with its table as it should be; `None` if the marks around it are missing.
pub(crate) fn with_table(tree: &Tree) -> Option<String> {
    TABLE.in_page(FILE, tree, &table())
}

/// The table, if it is not as it should be.
pub(crate) fn missing(tree: &Tree) -> Vec<Missing> {
    TABLE.missing(FILE, tree, &table()).into_iter().collect()
}

fn table() -> String {
    let mut text = "\n| `--platform` | known by | what is limited | default | leads to | setting |\n".to_owned();
    text += "|---|---|---|---|---|---|\n";
    for platform in ALL {
        let first = format!("`{}`: {}", platform.name, linked(&platform.full_title(), platform.source));
        if platform.limits.is_empty() {
            let what = match platform.serving {
                Serving::Unlimited => "nothing: each request gets a thread or a goroutine of its own",
                _ => "nothing that is known here",
            };
            writeln!(text, "| {first} | {} | {what} | none | | |", signs(platform)).unwrap();
        }
        for (at, limit) in platform.limits.iter().enumerate() {
            let (name, signs) = if at == 0 { (first.as_str(), signs(platform)) } else { ("", String::new()) };
            writeln!(text, "| {name} | {signs} | {} |", cells(limit)).unwrap();
        }
    }
    text + "\n"
}

fn cells(limit: &Limit) -> String {
    let kind = match limit.form {
        Some(form) => format!("`{}`, `{}`", limit.kind.as_str(), form.as_str()),
        None => format!("`{}`", limit.kind.as_str()),
    };
    format!("{} | {} | {kind} | {}", limit.what, linked(&limit.default.text(), limit.source), limit.setting)
}

fn signs(platform: &Platform) -> String {
    let signs = platform.signs.iter().map(|(name, value)| match *value {
        "" => format!("`{name}`"),
        value => format!("`{name}: {value}`"),
    });
    signs.collect::<Vec<_>>().join(", ")
}

/// A link to a URL, or to the first file of a repository that a source names.
fn linked(text: &str, source: &str) -> String {
    let url = match source.split_once(' ') {
        Some((repository, files)) => {
            let file = files.split(',').next().unwrap_or(files);
            format!("https://github.com/{repository}/blob/HEAD/{file}")
        }
        None => source.to_owned(),
    };
    format!("[{text}]({url})")
}

#[test]
fn a_source_is_a_link() {
    assert_eq!(linked("40", "https://www.starlette.io/threadpool"), "[40](https://www.starlette.io/threadpool)");
    assert_eq!(linked("1", "a/b src/c.py, src/d.py"), "[1](https://github.com/a/b/blob/HEAD/src/c.py)");
}

#[test]
fn a_page_without_its_table_is_named() {
    let [begin, end] = TABLE.marks;
    let named = |text: &str| missing(&Tree::default().with(FILE, text)).len();
    assert_eq!((missing(&Tree::default()).len(), named("no marks")), (1, 1));
    assert_eq!(named(&format!("# Page\n{begin}| old |\n{end}")), 1);
    assert_eq!(named(&format!("# Page\n{begin}{}{end}rest\n", table())), 0);
}
