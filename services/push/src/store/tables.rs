//! The push service's tables. Times are milliseconds since 1970, by the service's clock.

/// What may be pushed to, and how it went.
pub mod subscriptions {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "subscriptions")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        /// 64 lower-case hex digits. One subscription for each endpoint of a person.
        pub primary: String,
        pub endpoint: String,
        /// As the browser gave them, in base64url.
        pub p256dh: String,
        pub auth: String,
        pub created_at: i64,
        /// When the push network last took a push; 0 before the first.
        pub handed_at: i64,
        /// Before then it is not tried again.
        pub retry_at: i64,
        /// Pushes that have failed since the last that was taken.
        pub attempts: i32,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Who is waking whom just now.
pub mod wakes {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "wakes")]
    pub struct Model {
        /// 64 lower-case hex digits.
        #[sea_orm(primary_key, auto_increment = false)]
        pub primary: String,
        /// `<stream>:<sequence>` of the message that this person is woken for.
        pub holder: String,
        /// Until then it is the holder's alone.
        pub until: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
