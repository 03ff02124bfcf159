//! What the push service's handlers share.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use anyhow::Result;
use async_nats::Client;
use kez_crypto::Timestamp;
use kez_reach::Guard;
use kez_service::Clock;
use kez_service::limit::Limit;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::config::Settings;
use crate::rotations;
use crate::sender::Sender;
use crate::store::Store;
use crate::vapid::Vapid;

/// Pushes a minute that one person may try.
const TESTS_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(5);
/// Pushes that are tried at once: whoever names slow endpoints holds up others who try, and not those who are woken.
const TESTS_AT_ONCE: usize = 4;

#[derive(Clone)]
pub struct App {
    pub store: Store,
    pub calls: Limit,
    pub tests: Limit,
    pub tested_at_once: Arc<Semaphore>,
    pub nats: Client,
    pub clock: Clock,
    /// Which addresses may be pushed to.
    guard: Arc<Guard>,
    pub vapid: Vapid,
    pub sender: Sender,
    /// Ends with the last clone.
    _rotations: Arc<JoinSet<()>>,
}

impl App {
    pub async fn new(nats: &Client, settings: &Settings, clock: Clock) -> Result<Self> {
        let vapid = Vapid::open(&settings.vapid_key_file, &settings.vapid_contact, clock.clone())?;
        let sender = Sender::new(settings, vapid.clone())?;
        let store = Store::open(&settings.database_url).await?;
        Ok(Self {
            guard: Arc::new(Guard::new(settings.allow_private_push.clone())),
            vapid,
            sender,
            _rotations: rotations::follow(nats, store.clone()).await?,
            store,
            tests: Limit::per_minute(TESTS_PER_MINUTE),
            tested_at_once: Arc::new(Semaphore::new(TESTS_AT_ONCE)),
            calls: Limit::per_minute(settings.person_push_calls_per_minute),
            nats: nats.clone(),
            clock,
        })
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.now())
    }

    /// Whether this very address may be pushed to.
    pub fn permits(&self, address: IpAddr) -> bool {
        self.guard.permits(address)
    }
}
