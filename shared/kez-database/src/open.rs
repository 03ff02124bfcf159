//! Opening the database that `DATABASE_URL` names.
//!
//! Nothing here logs or repeats the URL, which may hold a password.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sea_orm::{DatabaseConnection, SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor};

/// Connections of one replica to PostgreSQL.
const POSTGRES_CONNECTIONS: u32 = 8;
/// Connections of one replica to SQLite: readers run side by side, writers take turns.
const SQLITE_CONNECTIONS: u32 = 4;
/// How long a call waits for a connection.
const CONNECTION: Duration = Duration::from_secs(2);
/// How long SQLite waits for another writer.
const BUSY: Duration = Duration::from_secs(2);
/// How often, and how long apart, SQLite's file is asked to become a write-ahead log while others open it.
const WAL_ATTEMPTS: u32 = 100;
const WAL_PAUSE: Duration = Duration::from_millis(50);

pub async fn open(url: &str, service: &'static str) -> Result<DatabaseConnection> {
    match Kind::of(url)? {
        Kind::Sqlite => sqlite(url, service).await.context("cannot open the SQLite database in DATABASE_URL"),
        Kind::Postgres => {
            postgres(url, service).await.context("cannot connect to the PostgreSQL database in DATABASE_URL")
        }
    }
}

/// What a URL asks for.
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub fn of(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            Ok(Self::Sqlite)
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Ok(Self::Postgres)
        } else {
            bail!("DATABASE_URL begins with neither sqlite: nor postgres:")
        }
    }
}

async fn postgres(url: &str, service: &'static str) -> Result<DatabaseConnection> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| anyhow::anyhow!("it is not a URL such as postgres://user:password@host/name"))?
        .application_name(&format!("kez-{service}"))
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(CONNECTION)
        .connect_with(options)
        .await?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

async fn sqlite(url: &str, service: &'static str) -> Result<DatabaseConnection> {
    ensure!(!url.contains(":memory:") && !url.contains("mode=memory"), "a database in memory keeps nothing");
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| anyhow::anyhow!("it is not a URL such as sqlite://kez.db?mode=rwc"))?
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    if url.contains("mode=rwc") {
        create(&options)?;
    }
    let first = options.connect().await?;
    write_ahead(first).await?;
    let file = File::at(options.get_filename(), service)?;
    let (known, opened) = (file.clone(), file);
    let pool = SqlitePoolOptions::new()
        .max_connections(SQLITE_CONNECTIONS)
        .acquire_timeout(CONNECTION)
        .before_acquire(move |_, _| Box::pin(std::future::ready(Ok(known.is_there()))))
        .after_connect(move |_, _| Box::pin(std::future::ready(opened.check())))
        .connect_with(options.create_if_missing(false))
        .await?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// The file that was opened. A connection writes on into a file that was deleted or moved, and what was promised then is
/// lost with it: so each use of a connection looks first.
#[derive(Clone)]
struct File {
    path: PathBuf,
    device: u64,
    inode: u64,
    service: &'static str,
}

impl File {
    fn at(path: &Path, service: &'static str) -> std::io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self { path: path.to_owned(), device: metadata.dev(), inode: metadata.ino(), service })
    }

    fn is_there(&self) -> bool {
        Self::at(&self.path, self.service)
            .is_ok_and(|now| (now.device, now.inode) == (self.device, self.inode))
    }

    fn check(&self) -> sqlx::Result<()> {
        let replaced =
            || format!("the database file was replaced: restart the {} to use the new one", self.service);
        if self.is_there() { Ok(()) } else { Err(std::io::Error::other(replaced()).into()) }
    }
}

/// Creates the file before SQLite does, for its owner only; SQLite gives its log the same rights.
fn create(options: &SqliteConnectOptions) -> Result<()> {
    let path = options.get_filename();
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot create {}", path.display())),
    }
}

/// Turns the write-ahead log on, which the file then keeps. SQLite does not wait for others here, so this does.
async fn write_ahead(mut connection: SqliteConnection) -> Result<()> {
    for _ in 1..WAL_ATTEMPTS {
        match connection.execute("PRAGMA journal_mode = WAL").await {
            Err(error) if is_busy(&error) => tokio::time::sleep(WAL_PAUSE).await,
            other => {
                other?;
                connection.close().await?;
                return Ok(());
            }
        }
    }
    bail!("somebody else keeps it locked")
}

/// Whether SQLite says that somebody else has the file; the extended codes hold more above the lowest byte.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 5)
}
