//! Random keys and ids.

/// A new key: 256 random bits.
///
/// # Errors
/// If the operating system provides no random bytes.
pub(crate) fn new_key() -> Result<String, getrandom::Error> {
    Ok(format!("key-{}", random_hex::<32>()?))
}

/// `BYTES` random bytes, two digits each.
pub(super) fn random_hex<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use gateway::KeyHash;

    use super::*;

    #[test]
    fn new_keys_are_valid_and_different() {
        let (one, other) = (new_key().unwrap(), new_key().unwrap());
        assert!(KeyHash::of(&one).is_ok() && one.len() == 4 + 64, "{one}");
        assert_ne!(one, other);
    }
}
