//! Which ids are accepted from clients.

use uuid::Uuid;

/// Longest id, of a request or a session, that is accepted from a client, in bytes.
pub const ID_BYTES_MAX: usize = 128;

/// The id of a request: the one that the client `sent` if it is valid, or else a new one.
#[must_use]
pub fn request_id(sent: Option<&str>) -> String {
    sent.filter(|id| is_valid_id(id)).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// Whether an id can go into a header and a log line unchanged: visible ASCII, of bounded length.
#[must_use]
pub fn is_valid_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID_BYTES_MAX && id.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_id_is_kept_and_any_other_replaced() {
        let longest = "a".repeat(ID_BYTES_MAX);
        for id in ["order-17", "~", &longest] {
            assert_eq!(request_id(Some(id)), id);
        }
        let too_long = "a".repeat(ID_BYTES_MAX + 1);
        for id in [Some(""), Some("two words"), Some("line\nbreak"), Some("\u{e9}"), Some(&too_long), None] {
            assert!(Uuid::parse_str(&request_id(id)).is_ok(), "{id:?}");
        }
    }
}
