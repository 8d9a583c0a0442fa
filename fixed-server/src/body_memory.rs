//! The memory that bodies of requests take: a budget over all of them, and one for each user, of which room is
//! reserved as bytes come.

/// The bytes of one body.
mod buffer;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use buffer::{Buffer, SMALL_BYTES};
use bytes::Bytes;
use gateway::BodyMemoryFull;

use crate::identity::User;
use crate::settings::Limits;

/// What is held beside a large body while it comes, measured with 500 clients of which most are refused: the
/// connection's buffer of 64 KiB, the piece that was read last, and what the heap keeps of those before it.
const BUFFER_BYTES: usize = 384 * 1024;

/// The room for bodies: from their first byte until the vendor's answer is there, since until then the call
/// may have to be made again.
#[derive(Debug)]
pub(crate) struct BodyMemory {
    reserved: Mutex<Reserved>,
    max_bytes: usize,
    user_max_bytes: Option<usize>,
}

#[derive(Debug, Default)]
struct Reserved {
    bytes: usize,
    /// Only where users have a limit of their own.
    by_user: HashMap<User, usize>,
}

impl BodyMemory {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(BodyMemory {
            reserved: Mutex::default(),
            max_bytes: limits.max_body_memory.0,
            user_max_bytes: limits.user_max_body_memory.0.map(|bytes| bytes.0),
        })
    }

    /// Bytes that are reserved now.
    pub(crate) fn reserved(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, Reserved> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body and its room, which is given back with it.
#[derive(Debug)]
pub(crate) struct BudgetedBody {
    buffer: Buffer,
    max_bytes: usize,
    reservation: Reservation,
}

impl BudgetedBody {
    /// None yet, of a body that may have so many bytes.
    pub(crate) fn new(memory: Arc<BodyMemory>, user: User, max_bytes: usize) -> Self {
        BudgetedBody {
            buffer: Buffer::Heap(Vec::new()),
            max_bytes,
            reservation: Reservation { memory, user, bytes: 0 },
        }
    }

    /// Adds what has come.
    ///
    /// # Errors
    /// [`BodyMemoryFull`].
    ///
    /// # Panics
    /// When it is more than the body may have.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), BodyMemoryFull> {
        let length = self.buffer.len() + piece.len();
        let beside = if length > SMALL_BYTES { BUFFER_BYTES } else { 0 };
        self.reservation.grow(length + beside)?;
        self.buffer.push(piece, self.max_bytes).map_err(|_| BodyMemoryFull::All)
    }

    /// All has come: the connection's buffer is free again.
    pub(crate) fn finish(&mut self) {
        self.reservation.shrink(self.buffer.len());
    }

    /// Other bytes in the place of its own, which are not needed any more: a rewritten request, which is longer by
    /// a few bytes at the most.
    pub(crate) fn replace(mut self, bytes: Vec<u8>) -> Bytes {
        self.reservation.shrink(bytes.len());
        self.buffer = Buffer::Heap(bytes);
        self.into()
    }
}

impl AsRef<[u8]> for BudgetedBody {
    fn as_ref(&self) -> &[u8] {
        self.buffer.as_ref()
    }
}

impl From<BudgetedBody> for Bytes {
    /// The last of the clones gives the room back.
    fn from(body: BudgetedBody) -> Bytes {
        Bytes::from_owner(body)
    }
}

/// So many bytes of the room.
#[derive(Debug)]
struct Reservation {
    memory: Arc<BodyMemory>,
    user: User,
    bytes: usize,
}

impl Reservation {
    /// Takes more, up to `bytes` in all.
    fn grow(&mut self, bytes: usize) -> Result<(), BodyMemoryFull> {
        let more = bytes.saturating_sub(self.bytes);
        let mut reserved = self.memory.lock();
        // One body alone always has room, also with the buffer beside it.
        let full = |reserved: usize, max: usize| reserved + more > max && reserved > self.bytes;
        if full(reserved.bytes, self.memory.max_bytes) {
            return Err(BodyMemoryFull::All);
        }
        if let Some(max) = self.memory.user_max_bytes {
            let of_user = reserved.by_user.entry(self.user.clone()).or_default();
            if full(*of_user, max) {
                return Err(BodyMemoryFull::User);
            }
            *of_user += more;
        }
        reserved.bytes += more;
        drop(reserved);
        self.bytes += more;
        Ok(())
    }

    /// Gives back what is over `bytes`.
    fn shrink(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        self.bytes -= less;
        let mut reserved = self.memory.lock();
        reserved.bytes -= less;
        if self.memory.user_max_bytes.is_none() {
            return;
        }
        if let Entry::Occupied(mut of_user) = reserved.by_user.entry(self.user.clone()) {
            *of_user.get_mut() -= less;
            if *of_user.get() == 0 {
                of_user.remove();
            }
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const KIB: usize = 1024;

    fn body(memory: &Arc<BodyMemory>, user: u8) -> BudgetedBody {
        BudgetedBody::new(memory.clone(), User::Address(Ipv4Addr::new(127, 0, 0, user).into()), 1024 * KIB)
    }

    fn memory(max_bytes: usize, user_max_bytes: Option<usize>) -> Arc<BodyMemory> {
        Arc::new(BodyMemory { reserved: Mutex::default(), max_bytes, user_max_bytes })
    }

    #[test]
    fn room_is_taken_as_bytes_come_and_given_back_with_the_last_of_the_body() {
        let memory = memory(100 * KIB, None);
        let (mut first, mut second) = (body(&memory, 1), body(&memory, 2));
        first.push(&[0; 60 * KIB]).unwrap();
        second.push(&[0; 40 * KIB]).unwrap();
        assert_eq!(second.push(&[0]), Err(BodyMemoryFull::All));
        assert_eq!(memory.reserved(), 100 * KIB);
        drop(second);
        let kept = Bytes::from(first);
        let clone = kept.clone();
        drop(kept);
        assert_eq!((memory.reserved(), clone.len()), (60 * KIB, 60 * KIB));
        drop(clone);
        assert_eq!(memory.reserved(), 0);
    }

    #[test]
    fn a_large_body_counts_with_its_connections_buffer_until_it_has_come() {
        let memory = memory(100 * KIB, None);
        let mut large = body(&memory, 1);
        // More than there is in all, but nobody else wants it.
        large.push(&[0; 80 * KIB]).unwrap();
        assert_eq!(memory.reserved(), 80 * KIB + BUFFER_BYTES);
        assert_eq!(body(&memory, 2).push(&[0]), Err(BodyMemoryFull::All));
        large.finish();
        assert_eq!(memory.reserved(), 80 * KIB);
        let rewritten = large.replace(vec![0; 10]);
        assert_eq!((memory.reserved(), rewritten.len()), (10, 10));
    }

    #[test]
    fn a_user_at_the_limit_is_no_matter_to_the_others() {
        let memory = memory(100 * KIB, Some(50 * KIB));
        let (mut first, mut second, mut other) = (body(&memory, 1), body(&memory, 1), body(&memory, 2));
        first.push(&[0; 40 * KIB]).unwrap();
        assert_eq!(second.push(&[0; 20 * KIB]), Err(BodyMemoryFull::User));
        other.push(&[0; 50 * KIB]).unwrap();
        drop(first);
        second.push(&[0; 20 * KIB]).unwrap();
        drop((second, other));
        let reserved = memory.lock();
        assert_eq!((reserved.bytes, reserved.by_user.len()), (0, 0));
    }
}
