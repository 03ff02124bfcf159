//! The tables as they came to be, one migration a change. A migration that was released is never edited.

use sea_orm::DynIden;
use sea_orm::sea_query::IntoIden;
use sea_orm_migration::prelude::{Alias, MigrationTrait, MigratorTrait};

mod m0001_subscriptions;

pub struct Migrator;

#[sea_orm_migration::async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_subscriptions::Migration)]
    }

    /// Its own, since other services may keep their tables in the same database.
    fn migration_table_name() -> DynIden {
        Alias::new("push_migrations").into_iden()
    }
}
