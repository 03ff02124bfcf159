//! What waking needs to know, and leaves behind: of each subscription, who is pushing to it, and how it went.
//!
//! Replicas agree by these rows alone: a row is changed only if it is as it was when it was judged.

use kez_service::Fault;
use sea_orm::prelude::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, UpdateMany};

use super::Store;
use super::tables::subscriptions::{Column, Entity, Model as Kept};

/// A subscription as it was judged, and the message that it is taken for.
#[derive(Debug, Clone)]
pub struct Claim {
    pub kept: Kept,
    pub sequence: i64,
    /// None: a push that has failed is not tried again yet, but for this message from now on.
    pub until: Option<i64>,
}

/// A push to one subscription.
#[derive(Debug, Clone, Copy)]
pub struct Push {
    pub id: i64,
    /// The message that it was made for.
    pub sequence: i64,
    /// Until when it was taken for that.
    pub until: i64,
    pub pushed: Pushed,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    Accepted {
        begun_at: i64,
    },
    Failed {
        retry_at: i64,
        attempts: i32,
    },
    /// The subscription is over.
    Over,
    /// None was made: somebody else sees to it, or there was no room. It is judged again then.
    Not {
        again_at: i64,
    },
}

impl Store {
    /// The subscriptions of these people.
    pub async fn subscriptions_of(&self, people: Vec<&str>) -> Result<Vec<Kept>, Fault> {
        let select = Entity::find().filter(Column::Primary.is_in(people)).order_by_asc(Column::Id);
        self.database.run(select.all(self.database.connection())).await
    }

    /// Takes subscriptions, those that nobody has taken since they were looked at; answers for each whether it was.
    pub async fn claim(&self, claims: &[Claim]) -> Result<Vec<bool>, Fault> {
        // Always in the same order, so that replicas never wait for each other in a circle.
        let mut order: Vec<usize> = (0..claims.len()).collect();
        order.sort_by_key(|&at| claims.get(at).map(|claim| claim.kept.id));
        let statements = async {
            let mut taken = vec![false; claims.len()];
            let _turn = self.database.turn().await;
            let transaction = self.database.begin().await?;
            for at in order {
                if let (Some(claim), Some(taken)) = (claims.get(at), taken.get_mut(at)) {
                    *taken = claim.update().exec(&transaction).await?.rows_affected == 1;
                }
            }
            transaction.commit().await?;
            Ok(taken)
        };
        self.database.run(statements).await
    }

    /// Writes down what became of pushes.
    pub async fn record(&self, pushes: &[Push]) -> Result<(), Fault> {
        let mut pushes = pushes.to_vec();
        pushes.sort_by_key(|push| push.id);
        let statements = async {
            let _turn = self.database.turn().await;
            let transaction = self.database.begin().await?;
            for push in &pushes {
                push.record(&transaction).await?;
            }
            transaction.commit().await
        };
        self.database.run(statements).await
    }
}

impl Claim {
    fn update(&self) -> UpdateMany<Entity> {
        let judged = Entity::update_many()
            .filter(Column::Id.eq(self.kept.id))
            .filter(Column::HandedAt.eq(self.kept.handed_at))
            .filter(Column::RetryAt.eq(self.kept.retry_at))
            .filter(Column::ClaimedUntil.eq(self.kept.claimed_until))
            .col_expr(Column::Holder, Expr::value(self.sequence));
        match self.until {
            Some(until) => judged.col_expr(Column::ClaimedUntil, Expr::value(until)),
            None => judged.filter(Column::Holder.lt(self.sequence)),
        }
    }
}

impl Push {
    async fn record(&self, connection: &impl ConnectionTrait) -> Result<(), DbErr> {
        // Somebody else may have taken it since, if this took too long.
        let update = Entity::update_many()
            .filter(Column::Id.eq(self.id))
            .filter(Column::Holder.eq(self.sequence))
            .filter(Column::ClaimedUntil.eq(self.until))
            .col_expr(Column::ClaimedUntil, Expr::value(0_i64));
        let update = match self.pushed {
            Pushed::Over => {
                Entity::delete_by_id(self.id).exec(connection).await?;
                return Ok(());
            }
            Pushed::Not { .. } => update,
            Pushed::Accepted { begun_at } => update
                .col_expr(Column::HandedAt, Expr::value(begun_at))
                .col_expr(Column::RetryAt, Expr::value(0_i64))
                .col_expr(Column::Attempts, Expr::value(0_i32))
                .col_expr(Column::Holder, Expr::value(0_i64)),
            Pushed::Failed { retry_at, attempts } => update
                .col_expr(Column::RetryAt, Expr::value(retry_at))
                .col_expr(Column::Attempts, Expr::value(attempts)),
        };
        update.exec(connection).await?;
        Ok(())
    }
}
