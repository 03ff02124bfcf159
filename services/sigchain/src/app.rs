//! What the sigchain service's handlers share.

use anyhow::Result;
use async_nats::Client;
use kez_crypto::Timestamp;
use kez_database::Database;
use kez_service::Clock;
use kez_service::limit::Limit;

use crate::config::Settings;
use crate::ledger::Ledger;
use crate::projection::Projection;
use crate::proofs::Proofs;
use crate::store::Store;

#[derive(Clone)]
pub struct App {
    pub ledger: Ledger,
    pub projection: Projection,
    pub proofs: Proofs,
    pub appends: Limit,
    clock: Clock,
}

impl App {
    pub async fn new(nats: &Client, settings: &Settings, clock: Clock, concurrency: u32) -> Result<Self> {
        // A database that does not answer may come back; one that cannot be never will.
        Database::check_url(&settings.database_url)?;
        let store = Store::open(nats, settings.stream_replicas).await?;
        let ledger = Ledger::follow(nats, store).await?;
        Ok(Self {
            projection: Projection::follow(ledger.clone(), &settings.database_url),
            ledger,
            proofs: Proofs::new(settings, concurrency)?,
            appends: Limit::per_minute(settings.person_appends_per_minute),
            clock,
        })
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.now())
    }
}
