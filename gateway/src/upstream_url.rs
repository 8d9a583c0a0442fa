//! The vendor's address.

use std::str::FromStr;

use url::Url;
use wire::upstream::base_path;

/// The vendor's base address, checked: `http://HOST[:PORT][/PATH]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamUrl(String);

impl UpstreamUrl {
    /// The address of one of the vendor's routes; `path` begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// `HOST:PORT`
    #[must_use]
    pub fn address(&self) -> String {
        let authority = self.0.trim_start_matches("http://").split('/').next().unwrap_or_default();
        // The port of http is left out where it is the usual one, also from a URL that named it.
        let has_port = authority.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
        if has_port { authority.to_owned() } else { format!("{authority}:80") }
    }
}

impl FromStr for UpstreamUrl {
    type Err = String;

    /// Reads an address with or without `/v1` at its end. An error is a text for the command line.
    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("{error}, expected http://HOST:PORT"))?;
        match url.scheme() {
            "http" => {}
            "https" => return Err("TLS is not built in: put a local http proxy in front of the vendor".into()),
            other => return Err(format!("the scheme is {other}, expected http://HOST:PORT")),
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err("credentials, query and fragment are not allowed, expected http://HOST:PORT".into());
        }
        let origin = url.as_str().strip_suffix(url.path()).unwrap_or_default();
        Ok(UpstreamUrl(format!("{origin}{}", base_path(url.path()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_in_the_path_is_dropped() {
        for (given, expected) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000/v1/models"),
            ("http://127.0.0.1:9000/", "http://127.0.0.1:9000/v1/models"),
            ("http://127.0.0.1:9000/v1", "http://127.0.0.1:9000/v1/models"),
            ("http://127.0.0.1:9000/v1/", "http://127.0.0.1:9000/v1/models"),
            ("http://gateway/openai/v1/", "http://gateway/openai/v1/models"),
            ("http://gateway/openai", "http://gateway/openai/v1/models"),
            ("http://vendor:9000/eu/", "http://vendor:9000/eu/v1/models"),
            ("http://v1", "http://v1/v1/models"),
        ] {
            let upstream: UpstreamUrl = given.parse().unwrap();
            assert_eq!(upstream.url("/v1/models"), expected, "{given}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_called_is_refused_with_what_is_expected() {
        for (given, expected) in [
            ("nonsense", "http://HOST:PORT"),
            ("ftp://vendor", "the scheme is ftp, expected http://HOST:PORT"),
            ("https://vendor", "TLS is not built in"),
            ("http://user:pass@vendor", "credentials, query and fragment are not allowed"),
            ("http://vendor/?region=eu", "credentials, query and fragment are not allowed"),
        ] {
            let error = given.parse::<UpstreamUrl>().unwrap_err();
            assert!(error.contains(expected), "{given}: {error}");
        }
    }
}
