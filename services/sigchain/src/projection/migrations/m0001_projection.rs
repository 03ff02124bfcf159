//! Chains, their claims and devices, and up to where they were read.

use sea_orm_migration::prelude::*;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_projection"
    }
}

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "the trait's own declaration hides it, and async_trait has to match that"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let chains = Table::create()
            .table("sigchain_chains")
            .col(ColumnDef::new("primary").text().not_null().primary_key())
            .col(ColumnDef::new("length").big_integer().not_null())
            .col(ColumnDef::new("head").text().not_null())
            .col(ColumnDef::new("successor").text())
            .to_owned();
        let claims = Table::create()
            .table("sigchain_claims")
            .col(ColumnDef::new("subject").text().not_null())
            .col(ColumnDef::new("primary").text().not_null())
            .col(ColumnDef::new("sequence").big_integer().not_null())
            .primary_key(Index::create().col("subject").col("primary"))
            .to_owned();
        let claims_by_primary = Index::create()
            .name("sigchain_claims_by_primary")
            .table("sigchain_claims")
            .col("primary")
            .to_owned();
        let devices = Table::create()
            .table("sigchain_devices")
            .col(ColumnDef::new("primary").text().not_null())
            .col(ColumnDef::new("device").text().not_null())
            .col(ColumnDef::new("name").text().not_null())
            .primary_key(Index::create().col("primary").col("device"))
            .to_owned();
        let positions = Table::create()
            .table("sigchain_positions")
            .col(ColumnDef::new("id").integer().not_null().primary_key())
            .col(ColumnDef::new("sequence").big_integer().not_null())
            .to_owned();
        for table in [chains, claims, devices, positions] {
            manager.create_table(table).await?;
        }
        manager.create_index(claims_by_primary).await
    }
}
