//! `fixed-server key`

use std::io::{self, Write};
use std::time::SystemTime;

use clap::{Args, Subcommand};
use futures_util::future::BoxFuture;
use gateway::{Confidential, DatabaseUrl, KeyHash};

use crate::sessions::{AddError, DEMO, DatabaseError, Key, KeyDatabase, Keys, OpenError, RevokeError, new_key};

const DATABASE_URL_MISSING: &str = "--database-url is required here: name the servers' database. A server without \
     this flag has its database in memory, where other processes cannot change it";

/// Where a command writes.
pub(crate) type Output = dyn Write + Send;

/// `fixed-server key`: changes the keys in the servers' database. They look up the key of every call, so a change
/// applies from the next call on.
#[derive(Debug, Clone, Args)]
pub struct KeyCommand {
    #[command(subcommand)]
    action: KeyAction,
}

/// What to do with keys.
#[derive(Debug, Clone, Subcommand)]
enum KeyAction {
    /// Add a key and print it. It is shown once: only its hash is stored.
    Add {
        /// Its owner or purpose. Unique among valid keys.
        name: String,

        /// The key to add. Default: a new random one. Other users of the machine can see it in the list of processes.
        #[arg(long, value_name = "VALUE", value_parser = Confidential(KeyHash::parse), hide_env_values = true)]
        key: Option<KeyHash>,

        #[command(flatten)]
        database: SharedDatabase,
    },
    /// List all keys, including revoked ones.
    List {
        #[command(flatten)]
        database: SharedDatabase,
    },
    /// Revoke a key. New calls are rejected (401); running streams continue.
    Revoke {
        /// The key's id, or its name.
        #[arg(value_name = "ID_OR_NAME")]
        id_or_name: String,

        #[command(flatten)]
        database: SharedDatabase,
    },
}

#[derive(Debug, Clone, Args)]
struct SharedDatabase {
    /// The servers' database: `sqlite:FILE` or `postgres://USER:PASSWORD@HOST/NAME`. Required.
    #[arg(long, value_name = "URL", hide_env_values = true)]
    #[arg(value_parser = Confidential(DatabaseUrl::parse))]
    database_url: Option<DatabaseUrl>,
}

/// Why a key command failed.
#[derive(Debug, thiserror::Error)]
pub enum KeyCommandError {
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error("the database failed: {cause}")]
    Database {
        /// How.
        cause: DatabaseError,
    },
    /// The key was rejected, or there is no such key.
    #[error("{0}")]
    Refused(String),
    /// The output could not be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

impl KeyCommand {
    /// Runs the command. Its result goes to `out`, messages about it to `log`.
    ///
    /// # Errors
    /// See [`KeyCommandError`].
    pub fn run<'a>(&'a self, out: &'a mut Output, log: &'a mut Output) -> BoxFuture<'a, Result<(), KeyCommandError>> {
        Box::pin(async move {
            let Some(url) = &self.action.database().database_url else { return Err(refused(&DATABASE_URL_MISSING)) };
            let database = KeyDatabase::open(url).await?;
            let done = self.act(database.keys(), out, log).await;
            database.close().await;
            done
        })
    }

    async fn act(&self, keys: Keys<'_>, out: &mut Output, log: &mut Output) -> Result<(), KeyCommandError> {
        match &self.action {
            KeyAction::Add { name, key, .. } => {
                add(keys, name, key.as_ref(), out, log).await?;
                warn_of_demo_key(keys, log).await?;
            }
            KeyAction::List { .. } => table(&keys.list().await?, out)?,
            KeyAction::Revoke { id_or_name, .. } => {
                let Key { id, name, .. } = keys.revoke(id_or_name).await?;
                writeln!(log, "revoked {name} ({id})")?;
            }
        }
        Ok(())
    }

    /// Checks what clap does not.
    ///
    /// # Errors
    /// A message for the command line, if no database is named.
    pub fn check(&self) -> Result<(), &'static str> {
        self.action.database().database_url.as_ref().map(drop).ok_or(DATABASE_URL_MISSING)
    }
}

impl KeyAction {
    fn database(&self) -> &SharedDatabase {
        match self {
            KeyAction::Add { database, .. } | KeyAction::List { database } | KeyAction::Revoke { database, .. } => {
                database
            }
        }
    }
}

async fn add(
    keys: Keys<'_>,
    name: &str,
    given: Option<&KeyHash>,
    out: &mut Output,
    log: &mut Output,
) -> Result<(), KeyCommandError> {
    let Some(given) = given else {
        let new = new_key().map_err(AddError::from)?;
        let id = keys.add(name, &KeyHash::of(&new).map_err(|error| refused(&error))?).await?;
        writeln!(log, "added {name} ({id}); its key is shown only once:")?;
        writeln!(out, "{new}")?;
        return Ok(());
    };
    let id = keys.add(name, given).await?;
    writeln!(log, "added {name} ({id})")?;
    Ok(())
}

/// Warns if the well-known demo key is valid beside real ones.
async fn warn_of_demo_key(keys: Keys<'_>, log: &mut Output) -> Result<(), KeyCommandError> {
    if keys.list().await?.iter().any(|key| key.name == DEMO && key.revoked.is_none()) {
        writeln!(log, "note: the key '{DEMO}', which a server added, is also valid until it is revoked")?;
    }
    Ok(())
}

/// Writes aligned columns.
fn table(keys: &[Key], out: &mut Output) -> io::Result<()> {
    let width = |cell: fn(&Key) -> usize, head: &str| keys.iter().map(cell).max().unwrap_or(0).max(head.len());
    let (ids, names) = (width(|key| key.id.len(), "ID"), width(|key| key.name.len(), "NAME"));
    writeln!(out, "{:ids$}  {:names$}  {:20}  REVOKED", "ID", "NAME", "CREATED")?;
    for Key { id, name, created, revoked } in keys {
        let revoked = revoked.map_or_else(|| "-".to_owned(), when);
        writeln!(out, "{id:ids$}  {name:names$}  {}  {revoked}", when(*created))?;
    }
    Ok(())
}

fn when(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

fn refused(error: &impl ToString) -> KeyCommandError {
    KeyCommandError::Refused(error.to_string())
}

impl From<DatabaseError> for KeyCommandError {
    fn from(cause: DatabaseError) -> Self {
        KeyCommandError::Database { cause }
    }
}

impl From<AddError> for KeyCommandError {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Database(error) => error.into(),
            other => refused(&other),
        }
    }
}

impl From<RevokeError> for KeyCommandError {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::Database(error) => error.into(),
            other => refused(&other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let created = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let key = |id: &str, name: &str, revoked| Key { id: id.into(), name: name.into(), created, revoked };
        let keys = [key("key_1", "a", None), key("key_123456", "batch-jobs", Some(created))];
        let mut shown = Vec::new();
        table(&keys, &mut shown).unwrap();
        let expected = "\
ID          NAME        CREATED               REVOKED
key_1       a           2023-11-14T22:13:20Z  -
key_123456  batch-jobs  2023-11-14T22:13:20Z  2023-11-14T22:13:20Z
";
        assert_eq!(String::from_utf8(shown).unwrap(), expected);
    }
}
