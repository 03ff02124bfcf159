//! People with their handles and keys, and their profiles.

use sea_orm_migration::prelude::*;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_people"
    }
}

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(
        elided_lifetimes_in_paths,
        reason = "the trait's own declaration hides it, and async_trait has to match that"
    )]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let people = Table::create()
            .table("people")
            .col(ColumnDef::new("handle").text().not_null().primary_key())
            .col(ColumnDef::new("primary").text().not_null().unique_key())
            .col(ColumnDef::new("registered_at").big_integer().not_null())
            .col(ColumnDef::new("registration").text().not_null())
            .col(ColumnDef::new("proofs").text().not_null())
            .col(ColumnDef::new("proofs_set_at").big_integer().not_null())
            .to_owned();
        let profiles = Table::create()
            .table("profiles")
            .col(ColumnDef::new("primary").text().not_null().primary_key())
            .col(ColumnDef::new("updated_at").big_integer().not_null())
            .col(ColumnDef::new("envelope").text().not_null())
            .foreign_key(ForeignKey::create().from("profiles", "primary").to("people", "primary"))
            .to_owned();
        manager.create_table(people).await?;
        manager.create_table(profiles).await
    }
}
