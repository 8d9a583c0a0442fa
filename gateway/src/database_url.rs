//! The URL of a database, and how to show it without its password.

use std::fmt::{self, Write as _};
use std::path::Path;

use url::Url;

const EXPECTED: &str = "expected sqlite:FILE or postgres://USER:PASSWORD@HOST/NAME";

/// The URL of a database. It is shown without its password, and errors do not repeat the value.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    SqliteFile(String),
    Postgres(Url),
}

impl DatabaseUrl {
    /// Reads `sqlite:FILE` or `postgres://USER:PASSWORD@HOST/NAME`.
    ///
    /// # Errors
    /// What is wrong with it, without repeating the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once(':').ok_or(EXPECTED)?;
        match scheme {
            "sqlite" => {
                sqlite_file(rest.strip_prefix("//").unwrap_or(rest)).map(|file| DatabaseUrl(Kind::SqliteFile(file)))
            }
            "postgres" | "postgresql" if cfg!(feature = "postgres") => {
                let url = Url::parse(text).map_err(|error| format!("{error}, {EXPECTED}"))?;
                Ok(DatabaseUrl(Kind::Postgres(url)))
            }
            "postgres" | "postgresql" => {
                Err("PostgreSQL is not built in: build this server with --features postgres".to_owned())
            }
            _ => Err(format!("this kind of database is not supported, {EXPECTED}")),
        }
    }

    /// Whether this is PostgreSQL.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        matches!(self.0, Kind::Postgres(_))
    }

    /// The file of a SQLite database.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Kind::SqliteFile(file) => Some(Path::new(file)),
            Kind::Postgres(_) => None,
        }
    }

    /// The URL with which to connect. It has the password.
    #[must_use]
    pub fn with_password(&self) -> String {
        match &self.0 {
            Kind::SqliteFile(file) => format!("sqlite:{}?mode=rwc", escape(file)),
            Kind::Postgres(url) => url.to_string(),
        }
    }
}

fn sqlite_file(file: &str) -> Result<String, String> {
    match file {
        "" => Err(format!("the name of the file is missing, {EXPECTED}")),
        ":memory:" => Err("without this flag the server has a database in memory".to_owned()),
        _ if file.contains(['?', '\0']) => {
            Err("the file's name must not contain '?': SQLite's parameters cannot be set".to_owned())
        }
        _ => Ok(file.to_owned()),
    }
}

/// The name of a file, percent-encoded for a URL.
fn escape(file: &str) -> String {
    let mut escaped = String::with_capacity(file.len());
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => escaped.push(byte.into()),
            // Writing to a String does not fail.
            _ => drop(write!(escaped, "%{byte:02X}")),
        }
    }
    escaped
}

/// Without the password, and without parameters, which may contain one.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match &self.0 {
            Kind::SqliteFile(file) => return write!(formatter, "sqlite:{file}"),
            Kind::Postgres(url) => url,
        };
        write!(formatter, "{}://", url.scheme())?;
        if !url.username().is_empty() {
            write!(formatter, "{}@", url.username())?;
        }
        write!(formatter, "{}", url.host_str().unwrap_or(""))?;
        if let Some(port) = url.port() {
            write!(formatter, ":{port}")?;
        }
        write!(formatter, "{}", url.path())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_with_and_without_slashes() {
        for (given, file) in
            [("sqlite:keys.db", "keys.db"), ("sqlite://keys.db", "keys.db"), ("sqlite:///a/b.db", "/a/b.db")]
        {
            assert_eq!(DatabaseUrl::parse(given).unwrap().to_string(), format!("sqlite:{file}"));
        }
    }

    #[test]
    fn an_error_does_not_repeat_the_url() {
        for (given, expected) in [
            ("keys.db", "expected sqlite:FILE"),
            ("sqlite:", "missing"),
            ("sqlite::memory:", "without this flag"),
            ("sqlite:keys.db?mode=ro", "'?'"),
            ("mysql://u:hunter2@h/d", "expected sqlite:FILE"),
        ] {
            let error = DatabaseUrl::parse(given).unwrap_err();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{given}: {error}");
        }
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn postgres_needs_its_feature() {
        let error = DatabaseUrl::parse("postgres://u:hunter2@h/d").unwrap_err();
        assert!(error.contains("--features postgres") && !error.contains("hunter2"), "{error}");
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn no_password_is_ever_shown() {
        for given in ["postgres://u:hunter2@h:5433/d", "postgresql://u:hunter2@h:5433/d?password=hunter2"] {
            let url = DatabaseUrl::parse(given).unwrap();
            assert!(url.to_string().ends_with("://u@h:5433/d"), "{url}");
            assert!(!format!("{url:?}").contains("hunter2"), "{url:?}");
        }
        let error = DatabaseUrl::parse("postgres://u:hunter2@h:port/d").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn special_characters_in_a_file_name_are_escaped() {
        assert_eq!(escape("a b/%20#ü.db"), "a%20b/%2520%23%C3%BC.db");
    }
}
