//! Keys whose handle has moved to a successor.

use sea_orm_migration::prelude::*;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_moved_keys"
    }
}

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "the trait's own declaration hides it, and async_trait has to match that"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let moved_keys = Table::create()
            .table("moved_keys")
            .col(ColumnDef::new("primary").text().not_null().primary_key())
            .col(ColumnDef::new("successor").text().not_null())
            .col(ColumnDef::new("moved_at").big_integer().not_null())
            .to_owned();
        manager.create_table(moved_keys).await
    }
}
