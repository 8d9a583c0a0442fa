//! The vendor's address.

use std::str::FromStr;

use url::Url;
use wire::upstream::base_path;

/// The vendor's base address, checked: `http://HOST[:PORT][/PATH]`, or the same with `https`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamUrl(String);

impl UpstreamUrl {
    /// Reads an address with or without `/v1` at its end.
    ///
    /// # Errors
    /// A text for the command line.
    pub fn parse_http_or_https(text: &str) -> Result<Self, String> {
        UpstreamUrl::parse(text, "http://HOST:PORT or https://HOST")
    }

    /// The address of one of the vendor's routes; `path` begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Whether it is called over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    fn parse(text: &str, expected: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("{error}, expected {expected}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("the scheme is {}, expected {expected}", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("credentials, query and fragment are not allowed, expected {expected}"));
        }
        let origin = url.as_str().strip_suffix(url.path()).unwrap_or_default();
        Ok(UpstreamUrl(format!("{origin}{}", base_path(url.path()))))
    }
}

impl FromStr for UpstreamUrl {
    type Err = String;

    /// Reads an address without TLS, with or without `/v1` at its end. An error is a text for the command line.
    fn from_str(text: &str) -> Result<Self, String> {
        let upstream = UpstreamUrl::parse(text, "http://HOST:PORT")?;
        if upstream.is_https() {
            return Err("https is not supported here: use an http proxy on this machine".into());
        }
        Ok(upstream)
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
    fn https_is_accepted_where_it_can_be_called() {
        let upstream = UpstreamUrl::parse_http_or_https("https://vendor/openai/v1/").unwrap();
        assert_eq!(
            (upstream.url("/v1/models").as_str(), upstream.is_https()),
            ("https://vendor/openai/v1/models", true)
        );
        assert!(!UpstreamUrl::parse_http_or_https("http://https").unwrap().is_https());
        assert!(UpstreamUrl::parse_http_or_https("ftp://vendor").is_err());
    }

    #[test]
    fn an_invalid_address_is_rejected_with_what_is_expected() {
        for (given, expected) in [
            ("nonsense", "http://HOST:PORT"),
            ("ftp://vendor", "the scheme is ftp, expected http://HOST:PORT"),
            ("https://vendor", "https is not supported here"),
            ("http://user:pass@vendor", "credentials, query and fragment are not allowed"),
            ("http://vendor/?region=eu", "credentials, query and fragment are not allowed"),
        ] {
            let error = given.parse::<UpstreamUrl>().unwrap_err();
            assert!(error.contains(expected), "{given}: {error}");
        }
    }
}
