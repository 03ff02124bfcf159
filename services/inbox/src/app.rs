//! What the inbox's handlers share.

use anyhow::Result;
use async_nats::Client;
use kez_crypto::Timestamp;
use kez_service::Clock;
use kez_service::limit::Limit;

use crate::config::Settings;
use crate::devices::Devices;
use crate::people::People;
use crate::store::Store;

#[derive(Clone)]
pub struct App {
    pub store: Store,
    pub people: People,
    pub devices: Devices,
    pub sends: Limit,
    pub fetches: Limit,
    clock: Clock,
}

impl App {
    pub async fn new(nats: &Client, settings: &Settings, clock: Clock) -> Result<Self> {
        Ok(Self {
            store: Store::open(nats, settings).await?,
            people: People::follow(nats).await?,
            devices: Devices::new(nats),
            sends: Limit::per_minute(settings.person_sends_per_minute),
            fetches: Limit::per_minute(settings.person_fetches_per_minute),
            clock,
        })
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.now())
    }
}
