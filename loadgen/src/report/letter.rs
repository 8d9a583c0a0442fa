//! The letters by which runs side by side are called.

/// The letter of a run; beyond Z its number.
pub(super) fn letter(index: usize) -> String {
    let letter = u8::try_from(index).ok().filter(|index| *index < 26).map(|index| char::from(b'A' + index));
    letter.map_or_else(|| format!("{}", index + 1), String::from)
}
