//! The files of the page, built in.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageFile {
    /// Its name in `page/`.
    pub(super) name: &'static str,
    content: &'static str,
}

macro_rules! files {
    ($($name:literal,)*) => {
        &[$(PageFile { name: $name, content: include_str!(concat!("page/", $name)) }),*]
    };
}

/// All of them. The first one is the page itself.
pub(super) static FILES: &[PageFile] = files![
    "index.html",
    "api.js",
    "app.css",
    "app.js",
    "arms.js",
    "chart.js",
    "check.js",
    "code.js",
    "connection.js",
    "dom.js",
    "figures.js",
    "format.js",
    "icon.svg",
    "ledger.js",
    "marks.js",
    "mistake.js",
    "panels.css",
    "pool.js",
    "run.js",
    "scale.js",
    "singles.js",
    "streams.js",
    "timeline.js",
];

impl PageFile {
    /// Its path. That of the page is `/`.
    pub(super) fn path(&self) -> String {
        if self.name == FILES[0].name { "/".to_owned() } else { format!("/{}", self.name) }
    }

    fn media_type(&self) -> &'static str {
        match self.name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "text/plain; charset=utf-8",
        }
    }
}

impl IntoResponse for PageFile {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, self.media_type())], self.content).into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_page_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/playground/page");
        let there: BTreeSet<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let built_in: BTreeSet<_> = FILES.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(built_in, there, "the list is in src/playground/files.rs");
        assert!(FILES.iter().all(|file| file.media_type() != "text/plain; charset=utf-8"));
    }
}
