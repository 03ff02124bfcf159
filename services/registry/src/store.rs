//! What is stored of people: the only file, with those below it, that knows SeaORM.
//!
//! A handle has one row and a primary has one row because the tables say so, not because somebody looked first.

mod migrations;
mod open;
mod outage;
mod tables;

use std::time::Duration;

use anyhow::{Context, Result as Anyhow};
use kez_crypto::{PublicKey, Timestamp};
use kez_service::Fault;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, Condition, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect};

use outage::Outage;
use tables::{people, profiles};

/// A call waits no longer for the database: its caller has to hear before it gives up.
const PATIENCE: Duration = Duration::from_secs(3);
/// Nor this long while it has not answered others: whoever can be answered from memory should not wait for it.
const PATIENCE_IN_OUTAGE: Duration = Duration::from_secs(1);

/// A registered person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub handle: String,
    pub primary: PublicKey,
    pub registered_at: Timestamp,
    /// Subjects that this person says are theirs.
    pub proofs: Vec<String>,
}

/// The registry's database.
#[derive(Clone)]
pub struct Store {
    database: DatabaseConnection,
    outage: Outage,
}

impl Store {
    /// Opens the database of that URL and brings its tables up to date, however many replicas do so at once.
    pub async fn open(url: &str) -> Anyhow<Self> {
        let database = open::open(url).await?;
        let migrated = tokio::time::timeout(migrations::PATIENCE, migrations::run(&database)).await;
        migrated
            .map_err(|_| anyhow::anyhow!("another replica has been at it for too long"))
            .and_then(|result| Ok(result?))
            .context("the database in DATABASE_URL cannot be brought up to date")?;
        Ok(Self { database, outage: Outage::default() })
    }

    /// Stores a person with the registration they signed. False: the handle or the primary is stored already.
    pub async fn add_person(&self, person: &Person, registration: &str) -> Result<bool, Fault> {
        let row = people::ActiveModel {
            handle: Set(person.handle.clone()),
            primary: Set(person.primary.to_hex()),
            registered_at: Set(person.registered_at.unix()),
            registration: Set(registration.to_owned()),
            proofs: Set(serde_json::to_string(&person.proofs)?),
            proofs_set_at: Set(0),
        };
        let insert = people::Entity::insert(row).on_conflict(OnConflict::new().do_nothing().to_owned());
        Ok(self.run(insert.exec_without_returning(&self.database)).await? == 1)
    }

    pub async fn person_by_handle(&self, handle: &str) -> Result<Option<Person>, Fault> {
        self.person(people::Column::Handle.eq(handle)).await
    }

    pub async fn person_by_primary(&self, primary: &PublicKey) -> Result<Option<Person>, Fault> {
        self.person(people::Column::Primary.eq(primary.to_hex())).await
    }

    /// Replaces the subjects that a registered person says are theirs. False: others were set after `unless_set_after`.
    pub async fn set_proofs(
        &self,
        primary: &PublicKey,
        proofs: &[String],
        set_at: Timestamp,
        unless_set_after: Option<Timestamp>,
    ) -> Result<bool, Fault> {
        let mut which = Condition::all().add(people::Column::Primary.eq(primary.to_hex()));
        if let Some(latest) = unless_set_after {
            which = which.add(people::Column::ProofsSetAt.lte(latest.unix()));
        }
        let update = people::Entity::update_many()
            .col_expr(people::Column::Proofs, Expr::value(serde_json::to_string(proofs)?))
            .col_expr(people::Column::ProofsSetAt, Expr::value(set_at.unix()))
            .filter(which);
        Ok(self.run(update.exec(&self.database)).await?.rows_affected == 1)
    }

    /// The text of a person's profile, as they put it.
    pub async fn profile(&self, primary: &PublicKey) -> Result<Option<String>, Fault> {
        let select = profiles::Entity::find_by_id(primary.to_hex());
        Ok(self.run(select.one(&self.database)).await?.map(|row| row.envelope))
    }

    /// Stores the profile of a registered person. False: the stored one is as new, or newer.
    pub async fn put_profile(
        &self,
        primary: &PublicKey,
        updated_at: Timestamp,
        envelope: &str,
    ) -> Result<bool, Fault> {
        let row = profiles::ActiveModel {
            primary: Set(primary.to_hex()),
            updated_at: Set(updated_at.unix()),
            envelope: Set(envelope.to_owned()),
        };
        let newer = OnConflict::column(profiles::Column::Primary)
            .update_columns([profiles::Column::UpdatedAt, profiles::Column::Envelope])
            .action_and_where(
                Expr::col((profiles::Entity, profiles::Column::UpdatedAt)).lt(updated_at.unix()),
            )
            .to_owned();
        let insert = profiles::Entity::insert(row).on_conflict(newer);
        Ok(self.run(insert.exec_without_returning(&self.database)).await? == 1)
    }

    async fn person(&self, which: impl sea_orm::sea_query::IntoCondition) -> Result<Option<Person>, Fault> {
        let select = people::Entity::find().select_only().columns(people::FOUND).filter(which);
        let row = self.run(select.into_model::<people::Found>().one(&self.database)).await?;
        row.map(people::Found::into_person).transpose()
    }

    /// Runs a statement. A database that does not answer is not the caller's fault, nor ours: try again.
    async fn run<T>(&self, statement: impl Future<Output = Result<T, DbErr>>) -> Result<T, Fault> {
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
}
