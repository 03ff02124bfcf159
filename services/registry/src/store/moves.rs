//! Handles that move to a successor, and the keys that they were moved from.

use kez_crypto::PublicKey;
use kez_service::Fault;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, SqlErr};

use super::tables::{moved_keys, people, profiles};
use super::{Person, Store};

impl Store {
    /// Gives the handle that `holder` has to another person, whose record is a new one, and keeps in mind that the holder's
    /// key had it. False: the handle is not the holder's any more, or the person has one already.
    pub async fn move_handle(
        &self,
        holder: &PublicKey,
        person: &Person,
        registration: &str,
    ) -> Result<bool, Fault> {
        let moved = self.database.run(async {
            let _turn = self.database.turn().await;
            let transaction = self.database.begin().await?;
            // What the holder says of themselves does not move, and cannot stay without them.
            profiles::Entity::delete_by_id(holder.to_hex()).exec(&transaction).await?;
            let update = people::Entity::update_many()
                .col_expr(people::Column::Primary, Expr::value(person.primary.to_hex()))
                .col_expr(people::Column::RegisteredAt, Expr::value(person.registered_at.unix()))
                .col_expr(people::Column::Registration, Expr::value(registration))
                .col_expr(people::Column::Proofs, Expr::value("[]"))
                .col_expr(people::Column::ProofsSetAt, Expr::value(0))
                .filter(people::Column::Handle.eq(person.handle.as_str()))
                .filter(people::Column::Primary.eq(holder.to_hex()));
            if update.exec(&transaction).await?.rows_affected != 1 {
                transaction.rollback().await?;
                return Ok(false);
            }
            let moved_key = moved_keys::ActiveModel {
                primary: Set(holder.to_hex()),
                successor: Set(person.primary.to_hex()),
                moved_at: Set(person.registered_at.unix()),
            };
            moved_keys::Entity::insert(moved_key).exec_without_returning(&transaction).await?;
            transaction.commit().await?;
            Ok(true)
        });
        match moved.await {
            Err(Fault::Failed(error)) if is_taken(&error) => Ok(false),
            moved => moved,
        }
    }

    /// Whether that key had a handle that moved to a successor.
    pub async fn has_moved(&self, primary: &PublicKey) -> Result<bool, Fault> {
        self.database.run(has_moved(self.database.connection(), primary)).await
    }
}

/// The same, as somebody sees it on their connection.
pub async fn has_moved(connection: &impl ConnectionTrait, primary: &PublicKey) -> Result<bool, DbErr> {
    Ok(moved_keys::Entity::find_by_id(primary.to_hex()).count(connection).await? > 0)
}

/// The person has registered under another handle meanwhile.
fn is_taken(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<DbErr>().and_then(DbErr::sql_err);
    matches!(error, Some(SqlErr::UniqueConstraintViolation(_)))
}
