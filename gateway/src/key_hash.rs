//! The hash of a key, which is what is stored and compared.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 512;

/// Characters of the hash by which a key is looked up: just enough to find one row of many. An attacker who learns the
/// prefix, for instance from the duration of look-ups, knows 32 of 256 bits.
const PREFIX_CHARS: usize = 8;

/// The SHA-256 of a key. The key itself is not kept, so that neither the database, nor a backup of it, nor the memory of
/// this process reveals it.
///
/// SHA-256 without salt or rounds is enough for random keys: they cannot be guessed at any speed, and every call pays
/// for the check.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeyHash(String);

/// A text that cannot be a key, because it cannot be sent in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key has 1 to {KEY_BYTES_MAX} visible ASCII characters and no spaces: it is sent in a header")]
pub struct InvalidKey;

impl KeyHash {
    /// The hash of a key.
    ///
    /// # Errors
    /// [`InvalidKey`] for a text that cannot be sent in a header.
    pub fn of(key: &str) -> Result<Self, InvalidKey> {
        if key.is_empty() || key.len() > KEY_BYTES_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidKey);
        }
        Ok(KeyHash(hex(&Sha256::digest(key))))
    }

    /// The same, for a flag.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it.
    pub fn parse(key: &str) -> Result<Self, String> {
        KeyHash::of(key).map_err(|error| error.to_string())
    }

    /// The hash in hexadecimal digits, as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part by which the key is looked up. It is not secret.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.0.get(..PREFIX_CHARS).unwrap_or(&self.0)
    }

    /// Whether this is the stored hash, compared in constant time.
    #[must_use]
    pub fn is(&self, stored: &str) -> bool {
        self.0.as_bytes().ct_eq(stored.as_bytes()).into()
    }
}

/// The prefix alone: logs and panics show settings.
impl fmt::Debug for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyHash({}...)", self.prefix())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_stored_as_its_sha_256() {
        // From FIPS 180-2: the hash of "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(KeyHash::of("abc").unwrap().as_str(), expected);
    }

    #[test]
    fn only_the_whole_key_is_the_key() {
        let stored = KeyHash::of("demo-key").unwrap();
        assert!(KeyHash::of("demo-key").unwrap().is(stored.as_str()));
        for wrong in ["demo-kex", "demo-ke", "demo-key1", "DEMO-KEY"] {
            assert!(!KeyHash::of(wrong).unwrap().is(stored.as_str()), "{wrong}");
        }
        assert!(!stored.is(""), "an empty column is no key");
        assert!(!stored.is(stored.prefix()), "the prefix is no key");
    }

    #[test]
    fn text_that_no_header_can_carry_is_no_key() {
        let longest = "x".repeat(KEY_BYTES_MAX);
        assert!(KeyHash::of(&longest).is_ok());
        let too_long = format!("{longest}x");
        for odd in ["", " ", "a b", "a\n", "schlüssel", "\u{0}", "\t", too_long.as_str()] {
            assert_eq!(KeyHash::of(odd), Err(InvalidKey), "{odd:?}");
        }
    }

    #[test]
    fn neither_the_key_nor_its_hash_is_shown() {
        let hash = KeyHash::of("demo-key").unwrap();
        let shown = format!("{hash:?}");
        assert!(!shown.contains("demo-key") && !shown.contains(hash.as_str()), "{shown}");
    }
}
