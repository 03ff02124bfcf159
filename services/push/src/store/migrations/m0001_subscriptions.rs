//! Subscriptions, how pushes to them went, and who is pushing just now.

use sea_orm_migration::prelude::*;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_subscriptions"
    }
}

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "the trait's own declaration hides it, and async_trait has to match that"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let subscriptions = Table::create()
            .table("subscriptions")
            .col(ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key())
            .col(ColumnDef::new("primary").text().not_null())
            .col(ColumnDef::new("endpoint").text().not_null())
            .col(ColumnDef::new("p256dh").text().not_null())
            .col(ColumnDef::new("auth").text().not_null())
            .col(ColumnDef::new("created_at").big_integer().not_null())
            .col(ColumnDef::new("handed_at").big_integer().not_null().default(0))
            .col(ColumnDef::new("retry_at").big_integer().not_null().default(0))
            .col(ColumnDef::new("attempts").integer().not_null().default(0))
            .col(ColumnDef::new("holder").big_integer().not_null().default(0))
            .col(ColumnDef::new("claimed_until").big_integer().not_null().default(0))
            .index(Index::create().unique().name("subscriptions_owned").col("primary").col("endpoint"))
            .to_owned();
        manager.create_table(subscriptions).await
    }
}
