//! The bytes of one body.

use std::io;

use memmap2::MmapMut;

/// Bytes up to which a body is on the heap.
pub(super) const SMALL_BYTES: usize = 64 * 1024;

/// A body as far as it has come.
///
/// A large one has pages of its own, which go back to the system with it. The heap would keep them: after the
/// first few large blocks, allocators keep such blocks for the next ones, and a server that once had a quarter of
/// a gigabyte of bodies would keep that for good. Pages that nothing was written to yet are no memory yet.
#[derive(Debug)]
pub(super) enum Buffer {
    Heap(Vec<u8>),
    Pages { map: MmapMut, length: usize },
}

impl Buffer {
    pub(super) fn len(&self) -> usize {
        match self {
            Buffer::Heap(bytes) => bytes.len(),
            Buffer::Pages { length, .. } => *length,
        }
    }

    /// Adds `piece` to a body of at most `max_bytes`.
    ///
    /// # Errors
    /// When the system has no pages.
    ///
    /// # Panics
    /// Over `max_bytes`.
    pub(super) fn push(&mut self, piece: &[u8], max_bytes: usize) -> io::Result<()> {
        match self {
            Buffer::Heap(bytes) if bytes.len() + piece.len() <= SMALL_BYTES => bytes.extend_from_slice(piece),
            Buffer::Heap(bytes) => {
                let mut map = MmapMut::map_anon(max_bytes)?;
                // Huge pages would be memory at their first byte. Where this is refused, there are none.
                #[cfg(target_os = "linux")]
                let _ = map.advise(memmap2::Advice::NoHugePage);
                map[..bytes.len()].copy_from_slice(bytes);
                *self = Buffer::Pages { map, length: bytes.len() };
                return self.push(piece, max_bytes);
            }
            Buffer::Pages { map, length } => {
                map[*length..*length + piece.len()].copy_from_slice(piece);
                *length += piece.len();
            }
        }
        Ok(())
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        match self {
            Buffer::Heap(bytes) => bytes,
            Buffer::Pages { map, length } => &map[..*length],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_the_same_wherever_it_is() {
        const MAX: usize = 3 * SMALL_BYTES;
        for piece_bytes in [1000, SMALL_BYTES, MAX] {
            let whole: Vec<u8> = (0..MAX).map(|at| (at % 251) as u8).collect();
            let mut buffer = Buffer::Heap(Vec::new());
            for piece in whole.chunks(piece_bytes) {
                buffer.push(piece, MAX).unwrap();
            }
            assert!(matches!(buffer, Buffer::Pages { .. }));
            assert!(buffer.as_ref() == whole && buffer.len() == MAX, "pieces of {piece_bytes}");
        }
    }
}
