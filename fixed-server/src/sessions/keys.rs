//! Keys: added, listed, revoked, checked.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway::KeyHash;
use sqlx::any::AnyRow;
use sqlx::{Row, query};

use super::database::{Database, DatabaseError, now_ms, text};
use super::random::random_hex;

/// Longest name of a key, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Every key's id begins with it, and no name does.
const ID_PREFIX: &str = "key_";

/// The id of a key that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct KeyId(Arc<str>);

impl KeyId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key, of which only the hash is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created: SystemTime,
    /// When it was revoked, if it was.
    pub(crate) revoked: Option<SystemTime>,
}

/// Why a key was not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddError {
    #[error(
        "'{0}' cannot be a key's name: expected 1 to {NAME_CHARS_MAX} visible ASCII characters, no spaces, \
         not beginning with '{ID_PREFIX}'"
    )]
    Name(String),
    #[error("there is a key of the name '{0}' already: revoke it first, or take another name")]
    NameTaken(String),
    #[error("this key was added before, as '{name}' ({id}){}", if *revoked { ", and was revoked" } else { "" })]
    KeyTaken { id: String, name: String, revoked: bool },
    #[error("no random bytes from the operating system: {0}")]
    Random(#[from] getrandom::Error),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Why a key was not revoked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RevokeError {
    #[error("there is no key of the id or name '{0}': see 'key list'")]
    Unknown(String),
    #[error("'{0}' was revoked before")]
    Already(String),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Adds a key, unless its id, its name or the key itself is there.
const INSERT: &str = "INSERT INTO keys (id, name, prefix, hash, created_ms) VALUES ($1, $2, $3, $4, $5) \
                      ON CONFLICT DO NOTHING RETURNING id";

/// The same, to a table without any key.
const INSERT_FIRST: &str = "INSERT INTO keys (id, name, prefix, hash, created_ms) SELECT $1, $2, $3, $4, $5 \
                            WHERE NOT EXISTS (SELECT 1 FROM keys) ON CONFLICT DO NOTHING RETURNING id";

/// The table of keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys<'a>(&'a Database);

impl<'a> Keys<'a> {
    pub(super) fn new(database: &'a Database) -> Self {
        Keys(database)
    }

    /// The id of the key with this hash, unless it was revoked.
    pub(super) async fn check(self, sent: &KeyHash) -> Result<Option<KeyId>, DatabaseError> {
        let statement = query("SELECT id, hash FROM keys WHERE prefix = $1 AND revoked_ms IS NULL");
        let rows = self.0.read(statement.bind(sent.prefix().to_owned())).await?;
        let mut found = None;
        for row in &rows {
            if sent.is(&text(row, "hash")?) {
                found = Some(KeyId(text(row, "id")?.into()));
            }
        }
        Ok(found)
    }

    /// Adds keys to a database that has none, not even a revoked one: the first under this name, the next as `NAME-2` and
    /// so on. Returns whether it did.
    pub(super) async fn add_first(self, name: &str, hashes: &[KeyHash]) -> Result<bool, DatabaseError> {
        let Some((first, more)) = hashes.split_first() else { return Ok(false) };
        // The ids are fixed, so that of two servers that start at once only one adds them.
        let id = |name: &str| format!("{ID_PREFIX}{name}");
        if !self.insert(INSERT_FIRST, &id(name), name, first).await? {
            return Ok(false);
        }
        for (number, hash) in (2..).zip(more) {
            let name = format!("{name}-{number}");
            self.insert(INSERT, &id(&name), &name, hash).await?;
        }
        Ok(true)
    }

    /// Adds a key by one of the statements above. Returns whether it did.
    async fn insert(
        self,
        statement: &'static str,
        id: &str,
        name: &str,
        hash: &KeyHash,
    ) -> Result<bool, DatabaseError> {
        let statement = query(statement).bind(id.to_owned()).bind(name.to_owned()).bind(hash.prefix().to_owned());
        let rows = self.0.write(statement.bind(hash.as_str().to_owned()).bind(now_ms())).await?;
        Ok(!rows.is_empty())
    }

    /// Adds a key and returns its id.
    pub(crate) async fn add(self, name: &str, hash: &KeyHash) -> Result<String, AddError> {
        check_name(name)?;
        let id = format!("{ID_PREFIX}{}", random_hex::<6>()?);
        if self.insert(INSERT, &id, name, hash).await? {
            return Ok(id);
        }
        let same = query("SELECT id, name, created_ms, revoked_ms FROM keys WHERE hash = $1");
        let same = self.0.read(same.bind(hash.as_str().to_owned())).await?;
        match same.first().map(key).transpose().map_err(DatabaseError::from)? {
            Some(Key { id, name, revoked, .. }) => Err(AddError::KeyTaken { id, name, revoked: revoked.is_some() }),
            None => Err(AddError::NameTaken(name.to_owned())),
        }
    }

    /// All keys, oldest first.
    pub(crate) async fn list(self) -> Result<Vec<Key>, DatabaseError> {
        let rows = query("SELECT id, name, created_ms, revoked_ms FROM keys ORDER BY created_ms, id");
        let rows = self.0.read(rows).await?;
        Ok(rows.iter().map(key).collect::<sqlx::Result<_>>()?)
    }

    /// Revokes the key of this id, or the valid one of this name. Calls that begin later are rejected; running streams
    /// continue.
    pub(crate) async fn revoke(self, id_or_name: &str) -> Result<Key, RevokeError> {
        let statement = query(
            "UPDATE keys SET revoked_ms = $1 WHERE revoked_ms IS NULL AND (id = $2 OR name = $2) \
             RETURNING id, name, created_ms, revoked_ms",
        );
        let rows = self.0.write(statement.bind(now_ms()).bind(id_or_name.to_owned())).await?;
        if let Some(row) = rows.first() {
            return Ok(key(row).map_err(DatabaseError::from)?);
        }
        let revoked = query("SELECT id FROM keys WHERE id = $1 OR name = $1").bind(id_or_name.to_owned());
        match self.0.read(revoked).await?.is_empty() {
            true => Err(RevokeError::Unknown(id_or_name.to_owned())),
            false => Err(RevokeError::Already(id_or_name.to_owned())),
        }
    }
}

fn check_name(name: &str) -> Result<(), AddError> {
    let valid = (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    // Otherwise one key's name could be another's id, and revoking it would revoke both.
    if valid && !name.starts_with(ID_PREFIX) { Ok(()) } else { Err(AddError::Name(name.to_owned())) }
}

fn key(row: &AnyRow) -> sqlx::Result<Key> {
    let time = |ms: i64| UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    let revoked: Option<i64> = row.try_get("revoked_ms")?;
    Ok(Key {
        id: text(row, "id")?,
        name: text(row, "name")?,
        created: time(row.try_get("created_ms")?),
        revoked: revoked.map(time),
    })
}
