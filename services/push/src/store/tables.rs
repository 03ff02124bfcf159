//! The push service's tables. Times are milliseconds since 1970.

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
        /// When the push was begun that its network took last; 0 before the first.
        pub handed_at: i64,
        /// Before then it is not tried again.
        pub retry_at: i64,
        /// Pushes that have failed since the last that was taken.
        pub attempts: i32,
        /// The message that it is pushed to for, by its sequence; 0 for none.
        pub holder: i64,
        /// Until then whoever does so has it alone.
        pub claimed_until: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
