//! The bytes of one body.

use std::io;

use memmap2::MmapMut;

/// Bytes up to which a body is on the heap.
pub(super) const SMALL_BYTES: usize = 64 * 1024;

/// The bytes of a body so far.
///
/// A large body has its own pages, which are returned to the system with it. Allocators keep freed large blocks for
/// later ones: a server that once held a quarter of a gigabyte of bodies would never return it. Pages that have not
/// been written to use no memory.
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
    /// If the system has no more pages.
    ///
    /// # Panics
    /// If the body exceeds `max_bytes`.
    pub(super) fn push(&mut self, piece: &[u8], max_bytes: usize) -> io::Result<()> {
        match self {
            Buffer::Heap(bytes) if bytes.len() + piece.len() <= SMALL_BYTES => bytes.extend_from_slice(piece),
            Buffer::Heap(bytes) => {
                let mut map = MmapMut::map_anon(max_bytes)?;
                // The first byte in a huge page would use all of its memory. A system that refuses this has no huge pages.
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
    fn a_body_is_the_same_on_the_heap_and_in_pages() {
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
