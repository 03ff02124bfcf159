//! The registry's tables.

/// Who is registered.
pub mod people {
    use kez_crypto::{PublicKey, Timestamp};
    use kez_service::Fault;
    use sea_orm::entity::prelude::*;
    use sea_orm::{FromQueryResult, entity::ActiveModelBehavior};

    use crate::store::Person;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "people")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub handle: String,
        /// 64 lower-case hex digits.
        #[sea_orm(unique)]
        pub primary: String,
        /// Seconds since 1970, by the server's clock.
        pub registered_at: i64,
        /// The envelope that asked for it, as it came.
        pub registration: String,
        /// A JSON array of identifiers.
        pub proofs: String,
        /// Seconds since 1970, as signed where it was signed.
        pub proofs_set_at: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    /// What a look-up reads.
    pub const FOUND: [Column; 4] = [Column::Handle, Column::Primary, Column::RegisteredAt, Column::Proofs];

    #[derive(FromQueryResult)]
    pub struct Found {
        handle: String,
        primary: String,
        registered_at: i64,
        proofs: String,
    }

    impl Found {
        pub fn into_person(self) -> Result<Person, Fault> {
            Ok(Person {
                handle: self.handle,
                primary: PublicKey::from_hex(&self.primary)?,
                registered_at: Timestamp::from_unix(self.registered_at),
                proofs: serde_json::from_str(&self.proofs)?,
            })
        }
    }
}

/// What people say about themselves.
pub mod profiles {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "profiles")]
    pub struct Model {
        /// 64 lower-case hex digits of somebody in `people`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub primary: String,
        /// Seconds since 1970, as signed.
        pub updated_at: i64,
        /// The envelope, as it came.
        pub envelope: String,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Keys that have lost their handle to a successor, for ever.
pub mod moved_keys {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "moved_keys")]
    pub struct Model {
        /// 64 lower-case hex digits.
        #[sea_orm(primary_key, auto_increment = false)]
        pub primary: String,
        /// 64 lower-case hex digits of somebody who was in `people` then.
        pub successor: String,
        /// Seconds since 1970, by the server's clock.
        pub moved_at: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
