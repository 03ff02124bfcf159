//! What is stored of subscriptions: the only file, with those below it, that knows SeaORM.

mod migrations;
mod tables;
mod waking;

use anyhow::Result as Anyhow;
use kez_contract::push::{MAX_SUBSCRIPTIONS, Subscribe};
use kez_database::Database;
use kez_service::Fault;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, Statement,
};

use migrations::Migrator;
use tables::subscriptions;

pub use tables::subscriptions::Model as Kept;
pub use waking::{Claim, Push, Pushed};

/// The push service's database. People are their primaries, 64 lower-case hex digits; times are milliseconds since 1970.
#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens the database of that URL and brings its tables up to date, however many replicas do so at once.
    pub async fn open(url: &str) -> Anyhow<Self> {
        Ok(Self { database: Database::open::<Migrator>(url, "push").await? })
    }

    /// Stores a person's subscription; one with the same endpoint gets the new keys. False: they have as many as one may
    /// have.
    pub async fn subscribe(&self, primary: &str, wanted: &Subscribe, now: i64) -> Result<bool, Fault> {
        let row = subscriptions::ActiveModel {
            id: NotSet,
            primary: Set(primary.to_owned()),
            endpoint: Set(wanted.endpoint.clone()),
            p256dh: Set(wanted.keys.p256dh.clone()),
            auth: Set(wanted.keys.auth.clone()),
            created_at: Set(now),
            handed_at: Set(0),
            retry_at: Set(0),
            attempts: Set(0),
            holder: Set(0),
            claimed_until: Set(0),
        };
        // How pushes to it went stays: who subscribes again does not make a network that asked for patience be asked earlier.
        let same = OnConflict::columns([subscriptions::Column::Primary, subscriptions::Column::Endpoint])
            .update_columns([subscriptions::Column::P256dh, subscriptions::Column::Auth])
            .to_owned();
        let insert = subscriptions::Entity::insert(row).on_conflict(same);
        let stored = async {
            let _turn = self.database.turn().await;
            let transaction = self.database.begin().await?;
            one_at_a_time(&transaction, primary).await?;
            insert.exec_without_returning(&transaction).await?;
            let number = of(primary).count(&transaction).await?;
            let fits = number <= MAX_SUBSCRIPTIONS as u64;
            if fits {
                transaction.commit().await?
            } else {
                transaction.rollback().await?
            }
            Ok(fits)
        };
        self.database.run(stored).await
    }

    /// Ends a person's subscription, if it is theirs.
    pub async fn unsubscribe(&self, primary: &str, endpoint: &str) -> Result<(), Fault> {
        let delete = subscriptions::Entity::delete_many()
            .filter(subscriptions::Column::Primary.eq(primary))
            .filter(subscriptions::Column::Endpoint.eq(endpoint));
        let deleted = async {
            let _turn = self.database.turn().await;
            delete.exec(self.database.connection()).await
        };
        self.database.run(deleted).await?;
        Ok(())
    }

    /// A person's subscriptions, the oldest first.
    pub async fn subscriptions(&self, primary: &str) -> Result<Vec<Kept>, Fault> {
        let select = of(primary).order_by_asc(subscriptions::Column::Id);
        self.database.run(select.all(self.database.connection())).await
    }

    /// Ends everything that is kept of a person.
    pub async fn forget(&self, primary: &str) -> Result<(), Fault> {
        let delete = subscriptions::Entity::delete_many().filter(subscriptions::Column::Primary.eq(primary));
        let deleted = async {
            let _turn = self.database.turn().await;
            delete.exec(self.database.connection()).await
        };
        self.database.run(deleted).await?;
        Ok(())
    }
}

fn of(primary: &str) -> sea_orm::Select<subscriptions::Entity> {
    subscriptions::Entity::find().filter(subscriptions::Column::Primary.eq(primary))
}

/// Has those who write for the same person wait for each other until the transaction ends. On SQLite all writers do.
async fn one_at_a_time(transaction: &DatabaseTransaction, primary: &str) -> Result<(), DbErr> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended('kez push ' || $1, 0))";
        let lock = Statement::from_sql_and_values(DbBackend::Postgres, lock, [primary.into()]);
        transaction.execute_raw(lock).await?;
    }
    Ok(())
}
