//! The API key in a request's `Authorization` header.

/// The key of `Bearer KEY`; the scheme's name is case-insensitive (RFC 9110, 11.1).
///
/// ```
/// use wire::authorization::bearer_key;
///
/// assert_eq!(bearer_key("bearer  demo-key"), Some("demo-key"));
/// assert_eq!(bearer_key("Basic ZGVtby1rZXk6"), None);
/// ```
#[must_use]
pub fn bearer_key(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once([' ', '\t'])?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}
