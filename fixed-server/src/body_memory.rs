//! The memory for bodies of requests: a budget for all of them and one for each user. It is reserved as bytes arrive.

mod buffer;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use buffer::{Buffer, SMALL_BYTES};
use bytes::Bytes;
use gateway::BodyMemoryFull;

use crate::identity::User;
use crate::settings::Limits;

/// Memory used beside a large body while it is read, measured with 500 clients of which most are rejected: the
/// connection's buffer of 64 KiB, the piece that was read last, and what the heap keeps of earlier pieces.
const BUFFER_BYTES: usize = 384 * 1024;

/// The budget for bodies. Each counts from its first byte until the vendor has answered: until then another attempt
/// may need it.
#[derive(Debug)]
pub(crate) struct BodyMemory {
    reserved: Mutex<Reserved>,
    max_bytes: usize,
    user_max_bytes: Option<usize>,
}

#[derive(Debug, Default)]
struct Reserved {
    bytes: usize,
    /// Empty unless each user has a limit.
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

/// A body with its reservation, which is released with it.
#[derive(Debug)]
pub(crate) struct BudgetedBody {
    buffer: Buffer,
    max_bytes: usize,
    reservation: Reservation,
}

impl BudgetedBody {
    /// An empty body that may grow to `max_bytes`.
    pub(crate) fn new(memory: Arc<BodyMemory>, user: User, max_bytes: usize) -> Self {
        BudgetedBody {
            buffer: Buffer::Heap(Vec::new()),
            max_bytes,
            reservation: Reservation { memory, user, bytes: 0 },
        }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`BodyMemoryFull`].
    ///
    /// # Panics
    /// If the body exceeds its maximum.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), BodyMemoryFull> {
        let length = self.buffer.len() + piece.len();
        let beside = if length > SMALL_BYTES { BUFFER_BYTES } else { 0 };
        self.reservation.grow(length + beside)?;
        self.buffer.push(piece, self.max_bytes).map_err(|_| BodyMemoryFull::All)
    }

    /// Ends the body: the connection's buffer is free again.
    pub(crate) fn finish(&mut self) {
        self.reservation.shrink(self.buffer.len());
    }

    /// Replaces its bytes by those of a rewritten request, which is at most a few bytes longer.
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
    /// The last clone releases the reservation.
    fn from(body: BudgetedBody) -> Bytes {
        Bytes::from_owner(body)
    }
}

/// Bytes of the budget.
#[derive(Debug)]
struct Reservation {
    memory: Arc<BodyMemory>,
    user: User,
    bytes: usize,
}

impl Reservation {
    /// Grows to `bytes`.
    fn grow(&mut self, bytes: usize) -> Result<(), BodyMemoryFull> {
        let more = bytes.saturating_sub(self.bytes);
        let mut reserved = self.memory.lock();
        // A single body always fits, even with the buffer beside it.
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

    /// Shrinks to `bytes`.
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
    fn memory_is_reserved_per_byte_and_released_with_the_last_clone() {
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
    fn a_large_body_counts_with_its_buffer_until_it_is_complete() {
        let memory = memory(100 * KIB, None);
        let mut large = body(&memory, 1);
        // More than the whole budget, but no other body uses it.
        large.push(&[0; 80 * KIB]).unwrap();
        assert_eq!(memory.reserved(), 80 * KIB + BUFFER_BYTES);
        assert_eq!(body(&memory, 2).push(&[0]), Err(BodyMemoryFull::All));
        large.finish();
        assert_eq!(memory.reserved(), 80 * KIB);
        let rewritten = large.replace(vec![0; 10]);
        assert_eq!((memory.reserved(), rewritten.len()), (10, 10));
    }

    #[test]
    fn a_user_at_the_limit_does_not_affect_others() {
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
