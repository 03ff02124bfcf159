//! A service's database: SQLite or PostgreSQL by its URL, brought up to date at start by one replica at a time, and an
//! outage told from a mistake.

mod open;
mod outage;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result as Anyhow, anyhow};
use kez_service::Fault;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use tokio::sync::{Mutex, MutexGuard};

use outage::Outage;

/// A call waits no longer for the database: its caller has to hear before it gives up.
const PATIENCE: Duration = Duration::from_secs(3);
/// Nor this long while it has not answered others: whoever can be answered from memory should not wait for it.
const PATIENCE_IN_OUTAGE: Duration = Duration::from_secs(1);
/// How long a replica waits for another that migrates.
const MIGRATION_PATIENCE: Duration = Duration::from_secs(60);

/// A database with the tables of one service.
#[derive(Clone)]
pub struct Database {
    connection: DatabaseConnection,
    outage: Outage,
    /// Whose turn it is to write, on SQLite.
    turns: Option<Arc<Mutex<()>>>,
}

impl Database {
    /// Opens the database of that URL and brings the tables of `service` up to date, however many replicas do so at once.
    /// Other services may keep their tables in the same database, so the migrator needs a table of its own.
    pub async fn open<Migrator: MigratorTrait>(url: &str, service: &'static str) -> Anyhow<Self> {
        let connection = open::open(url, service).await?;
        let migrated =
            tokio::time::timeout(MIGRATION_PATIENCE, migrate::<Migrator>(&connection, service)).await;
        migrated
            .map_err(|_| anyhow!("another replica has been at it for too long"))
            .and_then(|result| Ok(result?))
            .context("the database in DATABASE_URL cannot be brought up to date")?;
        let takes_turns = connection.get_database_backend() == DbBackend::Sqlite;
        Ok(Self { connection, outage: Outage::of(service), turns: takes_turns.then(Arc::default) })
    }

    /// Refuses a URL that can never be opened, for those who open it later. It is not repeated: it may hold a password.
    pub fn check_url(url: &str) -> Anyhow<()> {
        open::Kind::of(url).map(|_| ())
    }

    /// What SeaORM's statements run on.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Runs a statement. A database that does not answer is not the caller's fault, nor ours: try again.
    pub async fn run<T>(&self, statement: impl Future<Output = Result<T, DbErr>>) -> Result<T, Fault> {
        let patience = if self.outage.lasts() { PATIENCE_IN_OUTAGE } else { PATIENCE };
        match tokio::time::timeout(patience, statement).await {
            Ok(Ok(done)) => {
                self.outage.is_over();
                Ok(done)
            }
            Ok(Err(error)) if outage::is_outage(&error) => Err(self.outage.begins(&error)),
            Ok(Err(error)) => Err(error.into()),
            Err(elapsed) => Err(self.outage.begins(&elapsed)),
        }
    }

    /// Waits until it is one's turn to write, which lasts for as long as what is returned is kept. SQLite has one writer at a
    /// time: waiting for each other there, some of many would wait too long; here they are served in the order in which they came.
    pub async fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        match &self.turns {
            Some(turns) => Some(turns.lock().await),
            None => None,
        }
    }

    /// Begins a transaction that will write: on SQLite it waits for other writers now, not when it commits.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        begin(&self.connection).await
    }
}

async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite_transaction_mode = match connection.get_database_backend() {
        DbBackend::Sqlite => Some(SqliteTransactionMode::Immediate),
        _ => None,
    };
    connection
        .begin_with_options(TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() })
        .await
}

/// Brings the tables up to date in one transaction, in which one replica is at a time.
async fn migrate<Migrator: MigratorTrait>(
    connection: &DatabaseConnection,
    service: &'static str,
) -> Result<(), DbErr> {
    let transaction = begin(connection).await?;
    if connection.get_database_backend() == DbBackend::Postgres {
        let lock = format!(
            "SET LOCAL client_min_messages = warning; SELECT pg_advisory_xact_lock(hashtext('kez {service} migrations'))"
        );
        transaction.execute_unprepared(&lock).await?;
    }
    Migrator::up(&transaction, None).await?;
    transaction.commit().await
}
