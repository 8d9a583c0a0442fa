//! Databases for tests: SQLite, and PostgreSQL where a server can be started.

use std::process::{Command, Output};
use std::str::FromStr;
use std::time::{Duration, Instant};

#[cfg(feature = "postgres")]
use conformance::postgres::Postgres;
use conformance::temp_dir::TempDir;
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions, Connection, Executor, Row, SqlSafeStr};

use crate::server::BOUND;

/// Makes a test of each body, for each kind of database.
macro_rules! on_every_database {
    ($($body:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $body() {
                    super::$body(crate::database::TestDatabase::sqlite()).await;
                }
            )+
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(
                #[tokio::test]
                async fn $body() {
                    if let Some(database) = crate::database::TestDatabase::postgres() {
                        super::$body(database).await;
                    }
                }
            )+
        }
    };
}
pub(crate) use on_every_database;

/// An empty database, for as long as this value lives.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    kind: Kind,
}

enum Kind {
    Sqlite(#[allow(dead_code, reason = "kept for its drop")] TempDir),
    #[cfg(feature = "postgres")]
    Postgres(Postgres),
}

impl TestDatabase {
    pub(crate) fn sqlite() -> Self {
        let dir = TempDir::new().unwrap();
        TestDatabase { url: format!("sqlite:{}", dir.path().join("keys.db").display()), kind: Kind::Sqlite(dir) }
    }

    /// None if no server can be started; the reason is printed.
    #[cfg(feature = "postgres")]
    pub(crate) fn postgres() -> Option<Self> {
        match Postgres::start() {
            Ok(server) => Some(TestDatabase { url: server.url(), kind: Kind::Postgres(server) }),
            Err(why) => {
                println!("skipped, PostgreSQL cannot be started here: {why}");
                None
            }
        }
    }

    pub(crate) async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnectOptions::from_str(&self.url).unwrap().connect().await.unwrap()
    }

    /// The rows of a query: all columns as text, joined by a space.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<String> {
        let mut connection = self.connect().await;
        let rows = connection.fetch_all(AssertSqlSafe(sql.to_owned()).into_sql_str()).await.unwrap();
        connection.close().await.unwrap();
        let cell = |row: &sqlx::any::AnyRow, column| {
            row.try_get::<Option<String>, _>(column).unwrap().unwrap_or_else(|| "null".into())
        };
        rows.iter().map(|row| (0..row.len()).map(|column| cell(row, column)).collect::<Vec<_>>().join(" ")).collect()
    }

    /// Waits until a query has these rows.
    pub(crate) async fn until(&self, sql: &str, expected: &[&str]) {
        let deadline = Instant::now() + BOUND;
        loop {
            let rows = self.rows(sql).await;
            if rows == expected {
                return;
            }
            assert!(Instant::now() < deadline, "{sql}: {rows:?}, not {expected:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn change(&self, sql: &'static str) {
        let mut connection = self.connect().await;
        connection.execute(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Takes a lock that blocks all writes until it is dropped.
    pub(crate) async fn lock(&self) -> AnyConnection {
        let mut connection = self.connect().await;
        let statements: &[&'static str] = match self.kind {
            Kind::Sqlite(_) => &["BEGIN IMMEDIATE"],
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => &["BEGIN", "LOCK TABLE sessions, results IN ACCESS EXCLUSIVE MODE"],
        };
        for statement in statements {
            connection.execute(*statement).await.unwrap();
        }
        connection
    }

    /// Makes the database fail: PostgreSQL's server is stopped, SQLite's table is renamed.
    pub(crate) async fn fail(&mut self) {
        match &mut self.kind {
            Kind::Sqlite(_) => self.change("ALTER TABLE keys RENAME TO away").await,
            #[cfg(feature = "postgres")]
            Kind::Postgres(server) => server.stop(),
        }
    }

    /// Closes all connections at the database's end, if it is a server.
    pub(crate) async fn hang_up(&self) {
        match &self.kind {
            Kind::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => {
                let others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                              WHERE usename = 'tester' AND pid <> pg_backend_pid()";
                self.change(others).await;
            }
        }
    }

    /// Repairs the database.
    pub(crate) async fn recover(&mut self) {
        match &mut self.kind {
            Kind::Sqlite(_) => self.change("ALTER TABLE away RENAME TO keys").await,
            #[cfg(feature = "postgres")]
            Kind::Postgres(server) => server.run().unwrap(),
        }
    }

    /// Runs `fixed-server key` with these arguments as a process.
    pub(crate) fn key(&self, args: &[&str]) -> Output {
        self.key_command(args).output().unwrap()
    }

    pub(crate) fn key_command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fixed-server"));
        command.arg("key").args(args).args(["--database-url", &self.url]);
        command
    }

    /// Adds a key in another process, and returns it.
    pub(crate) fn add_key(&self, name: &str) -> String {
        let added = self.key(&["add", name]);
        assert!(added.status.success(), "{added:?}");
        String::from_utf8(added.stdout).unwrap().trim().to_owned()
    }

    /// Revokes a key in another process.
    pub(crate) fn revoke_key(&self, name: &str) {
        let revoked = self.key(&["revoke", name]);
        assert!(revoked.status.success(), "{revoked:?}");
    }
}
