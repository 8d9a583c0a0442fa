//! The vendor's address, and this server's key there.

use gateway::UpstreamUrl;
use reqwest::header::HeaderValue;

/// Reads the vendor's address.
///
/// # Errors
/// A text for the command line.
#[cfg(feature = "tls")]
pub(super) fn parse_upstream(text: &str) -> Result<UpstreamUrl, String> {
    UpstreamUrl::parse_http_or_https(text)
}

/// Reads the vendor's address.
///
/// # Errors
/// A text for the command line.
#[cfg(not(feature = "tls"))]
pub(super) fn parse_upstream(text: &str) -> Result<UpstreamUrl, String> {
    let upstream = UpstreamUrl::parse_http_or_https(text)?;
    if upstream.is_https() {
        return Err("this build has no TLS: build it with `cargo build --release --features fixed-server/tls`, or \
                    use an http proxy on this machine"
            .into());
    }
    Ok(upstream)
}

/// This server's own key at the vendor, as the value of an `Authorization` header. `Debug` does not show it.
#[derive(Debug, Clone)]
pub struct UpstreamKey(HeaderValue);

impl UpstreamKey {
    /// Reads a key.
    ///
    /// # Errors
    /// A text for the command line, which does not repeat the key.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let is_token = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let header =
            Some(text).filter(|_| is_token).and_then(|text| HeaderValue::from_str(&format!("Bearer {text}")).ok());
        let mut header = header.ok_or("expected a key of printable ASCII characters, without spaces")?;
        // Neither in `Debug` nor in the tables of HTTP/2's header compression.
        header.set_sensitive(true);
        Ok(UpstreamKey(header))
    }

    /// The value of the `Authorization` header.
    pub(crate) fn bearer(&self) -> &HeaderValue {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sent_as_a_bearer_token_and_is_not_shown() {
        let key = UpstreamKey::parse("sk-secret").unwrap();
        assert_eq!(key.bearer(), "Bearer sk-secret");
        assert!(!format!("{key:?}").contains("secret"), "{key:?}");
    }

    #[test]
    fn an_invalid_key_is_rejected_and_not_repeated() {
        for bad in ["", "sk-secret\n", "sk secret", "sk-sécret", "sk-\u{0}secret"] {
            let error = UpstreamKey::parse(bad).unwrap_err();
            assert!(error.contains("printable ASCII") && !error.contains("cret"), "{bad:?}: {error}");
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_vendor_can_be_called_over_tls() {
        let upstream = parse_upstream("https://api.vendor.example/v1").unwrap();
        assert!(upstream.is_https());
        assert_eq!(upstream.url("/v1/models"), "https://api.vendor.example/v1/models");
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn https_without_the_feature_says_how_to_build_it() {
        let error = parse_upstream("https://api.vendor.example/v1").unwrap_err();
        assert!(error.contains("--features fixed-server/tls"), "{error}");
    }
}
