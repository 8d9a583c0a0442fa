//! The memory that bodies of requests take: a budget over all of them, and one for each user, of which room is
//! taken as bytes come.

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
pub(crate) struct Room {
    taken: Mutex<Taken>,
    max_bytes: usize,
    user_max_bytes: Option<usize>,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: usize,
    /// Only where users have a limit of their own.
    by_user: HashMap<User, usize>,
}

impl Room {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Room {
            taken: Mutex::default(),
            max_bytes: limits.max_body_memory.0,
            user_max_bytes: limits.user_max_body_memory.0.map(|bytes| bytes.0),
        })
    }

    /// Bytes that are taken now.
    pub(crate) fn taken(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body and its room, which is given back with it.
#[derive(Debug)]
pub(crate) struct RoomyBody {
    buffer: Buffer,
    max_bytes: usize,
    place: Place,
}

impl RoomyBody {
    /// None yet, of a body that may have so many bytes.
    pub(crate) fn new(room: Arc<Room>, user: User, max_bytes: usize) -> Self {
        RoomyBody { buffer: Buffer::Heap(Vec::new()), max_bytes, place: Place { room, user, bytes: 0 } }
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
        self.place.grow(length + beside)?;
        self.buffer.push(piece, self.max_bytes).map_err(|_| BodyMemoryFull::All)
    }

    /// All has come: the connection's buffer is free again.
    pub(crate) fn finish(&mut self) {
        self.place.shrink(self.buffer.len());
    }

    /// Other bytes in the place of its own, which are not needed any more: a rewritten request, which is longer by
    /// a few bytes at the most.
    pub(crate) fn replace(mut self, bytes: Vec<u8>) -> Bytes {
        self.place.shrink(bytes.len());
        self.buffer = Buffer::Heap(bytes);
        self.into()
    }
}

impl AsRef<[u8]> for RoomyBody {
    fn as_ref(&self) -> &[u8] {
        self.buffer.as_ref()
    }
}

impl From<RoomyBody> for Bytes {
    /// The last of the clones gives the room back.
    fn from(body: RoomyBody) -> Bytes {
        Bytes::from_owner(body)
    }
}

/// So many bytes of the room.
#[derive(Debug)]
struct Place {
    room: Arc<Room>,
    user: User,
    bytes: usize,
}

impl Place {
    /// Takes more, up to `bytes` in all.
    fn grow(&mut self, bytes: usize) -> Result<(), BodyMemoryFull> {
        let more = bytes.saturating_sub(self.bytes);
        let mut taken = self.room.lock();
        // One body alone always has room, also with the buffer beside it.
        let full = |taken: usize, max: usize| taken + more > max && taken > self.bytes;
        if full(taken.bytes, self.room.max_bytes) {
            return Err(BodyMemoryFull::All);
        }
        if let Some(max) = self.room.user_max_bytes {
            let of_user = taken.by_user.entry(self.user.clone()).or_default();
            if full(*of_user, max) {
                return Err(BodyMemoryFull::User);
            }
            *of_user += more;
        }
        taken.bytes += more;
        drop(taken);
        self.bytes += more;
        Ok(())
    }

    /// Gives back what is over `bytes`.
    fn shrink(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        self.bytes -= less;
        let mut taken = self.room.lock();
        taken.bytes -= less;
        if self.room.user_max_bytes.is_none() {
            return;
        }
        if let Entry::Occupied(mut of_user) = taken.by_user.entry(self.user.clone()) {
            *of_user.get_mut() -= less;
            if *of_user.get() == 0 {
                of_user.remove();
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const KIB: usize = 1024;

    fn body(room: &Arc<Room>, user: u8) -> RoomyBody {
        RoomyBody::new(room.clone(), User::Address(Ipv4Addr::new(127, 0, 0, user).into()), 1024 * KIB)
    }

    fn room(max_bytes: usize, user_max_bytes: Option<usize>) -> Arc<Room> {
        Arc::new(Room { taken: Mutex::default(), max_bytes, user_max_bytes })
    }

    #[test]
    fn room_is_taken_as_bytes_come_and_given_back_with_the_last_of_the_body() {
        let room = room(100 * KIB, None);
        let (mut first, mut second) = (body(&room, 1), body(&room, 2));
        first.push(&[0; 60 * KIB]).unwrap();
        second.push(&[0; 40 * KIB]).unwrap();
        assert_eq!(second.push(&[0]), Err(BodyMemoryFull::All));
        assert_eq!(room.taken(), 100 * KIB);
        drop(second);
        let kept = Bytes::from(first);
        let clone = kept.clone();
        drop(kept);
        assert_eq!((room.taken(), clone.len()), (60 * KIB, 60 * KIB));
        drop(clone);
        assert_eq!(room.taken(), 0);
    }

    #[test]
    fn a_large_body_counts_with_its_connections_buffer_until_it_has_come() {
        let room = room(100 * KIB, None);
        let mut large = body(&room, 1);
        // More than there is in all, but nobody else wants it.
        large.push(&[0; 80 * KIB]).unwrap();
        assert_eq!(room.taken(), 80 * KIB + BUFFER_BYTES);
        assert_eq!(body(&room, 2).push(&[0]), Err(BodyMemoryFull::All));
        large.finish();
        assert_eq!(room.taken(), 80 * KIB);
        let rewritten = large.replace(vec![0; 10]);
        assert_eq!((room.taken(), rewritten.len()), (10, 10));
    }

    #[test]
    fn a_user_at_the_limit_is_no_matter_to_the_others() {
        let room = room(100 * KIB, Some(50 * KIB));
        let (mut first, mut second, mut other) = (body(&room, 1), body(&room, 1), body(&room, 2));
        first.push(&[0; 40 * KIB]).unwrap();
        assert_eq!(second.push(&[0; 20 * KIB]), Err(BodyMemoryFull::User));
        other.push(&[0; 50 * KIB]).unwrap();
        drop(first);
        second.push(&[0; 20 * KIB]).unwrap();
        drop((second, other));
        let taken = room.lock();
        assert_eq!((taken.bytes, taken.by_user.len()), (0, 0));
    }
}
