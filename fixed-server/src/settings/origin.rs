//! Origins whose pages may call the server.

use std::str::FromStr;

use axum::http::HeaderValue;
use reqwest::Url;

/// An origin, or `*` for any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(pub(crate) HeaderValue);

impl Origin {
    /// Whether it is `*`.
    pub(crate) fn is_any(&self) -> bool {
        self.0 == "*"
    }
}

impl FromStr for Origin {
    type Err = String;

    /// Accepts only what a browser would send: origins are compared byte by byte, and anything else would never match.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected an origin such as https://app.example or http://localhost:3000, or *".to_owned();
        let is_origin = Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text);
        let origin = Some(text).filter(|text| *text == "*" || (is_origin && *text != "null"));
        origin.and_then(|text| HeaderValue::from_str(text).ok()).map(Origin).ok_or_else(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_origins_as_browsers_send_them_are_valid() {
        for text in ["*", "https://app.example", "http://localhost:3000", "http://127.0.0.1"] {
            assert!(text.parse::<Origin>().is_ok(), "{text}");
        }
        for text in
            ["", "app.example", "https://app.example/", "https://app.example:443", "HTTPS://app.example", "null"]
        {
            assert!(text.parse::<Origin>().unwrap_err().contains("https://app.example"), "{text}");
        }
    }
}
