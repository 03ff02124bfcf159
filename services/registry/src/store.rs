//! What is stored of people: the only file, with those below it, that knows SeaORM.
//!
//! A handle has one row and a primary has one row because the tables say so, not because somebody looked first.

mod migrations;
mod moves;
mod tables;

use anyhow::Result as Anyhow;
use kez_crypto::{PublicKey, Timestamp};
use kez_database::Database;
use kez_service::Fault;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};

use migrations::Migrator;
use tables::{people, profiles};

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
    database: Database,
}

impl Store {
    /// Opens the database of that URL and brings its tables up to date, however many replicas do so at once.
    pub async fn open(url: &str) -> Anyhow<Self> {
        Ok(Self { database: Database::open::<Migrator>(url, "registry").await? })
    }

    /// Stores a person with the registration they signed. False: the handle or the primary is stored already, or the
    /// primary had a handle that moved away from it.
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
        let added = async {
            let _turn = self.database.turn().await;
            let transaction = self.database.begin().await?;
            let added = insert.exec_without_returning(&transaction).await? == 1
                // After the insertion, which waits for a move of that key that has begun.
                && !moves::has_moved(&transaction, &person.primary).await?;
            if added {
                transaction.commit().await?
            } else {
                transaction.rollback().await?
            }
            Ok(added)
        };
        self.database.run(added).await
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
        let updated = async {
            let _turn = self.database.turn().await;
            update.exec(self.database.connection()).await
        };
        Ok(self.database.run(updated).await?.rows_affected == 1)
    }

    /// The text of a person's profile, as they put it.
    pub async fn profile(&self, primary: &PublicKey) -> Result<Option<String>, Fault> {
        let select = profiles::Entity::find_by_id(primary.to_hex());
        Ok(self.database.run(select.one(self.database.connection())).await?.map(|row| row.envelope))
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
        let stored = async {
            let _turn = self.database.turn().await;
            insert.exec_without_returning(self.database.connection()).await
        };
        Ok(self.database.run(stored).await? == 1)
    }

    async fn person(&self, which: impl sea_orm::sea_query::IntoCondition) -> Result<Option<Person>, Fault> {
        let select = people::Entity::find().select_only().columns(people::FOUND).filter(which);
        let row =
            self.database.run(select.into_model::<people::Found>().one(self.database.connection())).await?;
        row.map(people::Found::into_person).transpose()
    }
}
