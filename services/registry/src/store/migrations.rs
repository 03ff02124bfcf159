//! The tables as they came to be, one migration a change. A migration that was released is never edited.

use std::time::Duration;

use sea_orm::sea_query::IntoIden;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, DynIden, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use sea_orm_migration::prelude::{Alias, MigrationTrait, MigratorTrait};

mod m0001_people;

/// How long a replica waits for another that migrates.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// PostgreSQL's lock for the registry's migrations: "kez-reg" in ASCII.
const LOCK: &str = "SET LOCAL client_min_messages = warning; SELECT pg_advisory_xact_lock(30229397930927463)";

/// Brings the tables up to date in one transaction, in which one replica is at a time.
pub async fn run(database: &DatabaseConnection) -> Result<(), DbErr> {
    let sqlite_transaction_mode = match database.get_database_backend() {
        DbBackend::Sqlite => Some(SqliteTransactionMode::Immediate),
        _ => None,
    };
    let options = TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() };
    let transaction = database.begin_with_options(options).await?;
    if database.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(LOCK).await?;
    }
    Migrator::up(&transaction, None).await?;
    transaction.commit().await
}

struct Migrator;

#[sea_orm_migration::async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_people::Migration)]
    }

    /// Its own, since other services may keep their tables in the same database.
    fn migration_table_name() -> DynIden {
        Alias::new("registry_migrations").into_iden()
    }
}
