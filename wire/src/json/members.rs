//! The members of some names, of one object or of each in a list.

use serde::de::{Deserializer, Error};

use super::{Raw, Receiver, raw, read, read_value, skip};

/// The members of some names, as they are written, in the order of the names.
pub(crate) type Members<'a, const N: usize> = [Option<Raw<'a>>; N];

/// The members of these `names` in `json`; of two of one name, the last. `None` for JSON that is not an object.
///
/// # Errors
/// As [`read`].
pub(crate) fn members<'a, const N: usize>(
    json: &'a str,
    names: &[&str; N],
) -> serde_json::Result<Option<Members<'a, N>>> {
    let mut named = Named::new(names);
    read(json, &mut named)?;
    Ok(named.found())
}

/// Calls `each` with the index of each element of `list` and its members of these `names`, or `None` for an
/// element that is not an object, until it fails. Nothing is called where `list`, which must be valid JSON, is not a
/// list.
///
/// # Errors
/// What `each` returned.
pub(crate) fn each_object<'a, const N: usize, E>(
    list: Raw<'a>,
    names: &[&str; N],
    each: impl FnMut(usize, Option<Members<'a, N>>) -> Result<(), E>,
) -> Result<(), E> {
    let mut objects = Objects { names, each, count: 0, failed: None };
    // The list is valid, so reading it fails only after `each` failed, or on an element such as 1e999, which `each`
    // was called for.
    let _ = read(list.get(), &mut objects);
    objects.failed.map_or(Ok(()), Err)
}

/// Keeps the members of some names.
struct Named<'n, 'a, const N: usize> {
    names: &'n [&'n str; N],
    members: Members<'a, N>,
    is_object: bool,
}

impl<'n, 'a, const N: usize> Named<'n, 'a, N> {
    fn new(names: &'n [&'n str; N]) -> Self {
        Named { names, members: [None; N], is_object: false }
    }

    fn found(self) -> Option<Members<'a, N>> {
        self.is_object.then_some(self.members)
    }
}

impl<'a, const N: usize> Receiver<'a> for Named<'_, 'a, N> {
    const TAKES_ANY_NAME: bool = true;

    fn begin_object(&mut self) {
        self.is_object = true;
    }

    fn member<D: Deserializer<'a>>(&mut self, name: &str, value: D) -> Result<(), D::Error> {
        match self.names.iter().position(|wanted| *wanted == name) {
            Some(place) => self.members[place] = Some(raw(value)?),
            None => skip(value)?,
        }
        Ok(())
    }
}

/// Calls `each` for each element of a list.
struct Objects<'n, const N: usize, F, E> {
    names: &'n [&'n str; N],
    each: F,
    count: usize,
    failed: Option<E>,
}

impl<'a, const N: usize, F, E> Receiver<'a> for Objects<'_, N, F, E>
where
    F: FnMut(usize, Option<Members<'a, N>>) -> Result<(), E>,
{
    fn element<D: Deserializer<'a>>(&mut self, element: D) -> Result<(), D::Error> {
        let mut named = Named::new(self.names);
        let read = read_value(element, &mut named);
        let index = self.count;
        self.count += 1;
        (self.each)(index, named.found()).map_err(|error| {
            self.failed = Some(error);
            D::Error::custom("stopped")
        })?;
        read
    }
}
