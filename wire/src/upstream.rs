//! The vendor's address as people write it.

/// The path of a vendor's base address, to which `/v1/...` is appended. Clients' settings include the `/v1` (OpenAI's
/// `base_url` does), so it is removed if present.
///
/// ```
/// use wire::upstream::base_path;
///
/// assert_eq!(base_path("/"), "");
/// assert_eq!(base_path("/v1/"), "");
/// assert_eq!(base_path("/openai/v1"), "/openai");
/// assert_eq!(base_path("/v1beta"), "/v1beta");
/// ```
#[must_use]
pub fn base_path(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix("/chat/completions").unwrap_or(path);
    path.strip_suffix("/v1").unwrap_or(path).trim_end_matches('/')
}
