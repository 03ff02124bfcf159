//! What the registry's handlers share.

use std::num::NonZeroU32;
use std::sync::Arc;

use anyhow::Result;
use async_nats::Client;
use kez_contract::event::{REGISTRY_FEED, RegistryFact};
use kez_contract::http;
use kez_contract::registry::Record;
use kez_crypto::{PublicKey, Timestamp};
use kez_service::limit::Limit;
use kez_service::{Clock, Fault};
use tokio::task::JoinSet;

use crate::config::Settings;
use crate::directory::Directory;
use crate::moves;
use crate::store::{Person, Store};

/// Profiles and lists of proofs that one person may put in a minute: each is flushed to disk, and a profile is
/// announced to everybody who follows the feed, and asked for by whoever knows the person.
const PUTS_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(11);

#[derive(Clone)]
pub struct App {
    pub store: Store,
    pub directory: Directory,
    pub puts: Limit,
    /// The domain after the `@`.
    pub server: String,
    public_url: String,
    pub nats: Client,
    clock: Clock,
    /// Ends with the last clone.
    _moves: Arc<JoinSet<()>>,
}

impl App {
    pub async fn new(nats: &Client, store: Store, settings: Settings, clock: Clock) -> Result<Self> {
        let directory = Directory::new(nats, store.clone(), clock.clone());
        Ok(Self {
            _moves: moves::follow(nats, directory.clone()).await?,
            directory,
            store,
            puts: Limit::per_minute(PUTS_PER_MINUTE),
            server: settings.server,
            public_url: settings.public_url,
            nats: nats.clone(),
            clock,
        })
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.clock.now())
    }

    /// What anyone may know of somebody.
    pub fn record(&self, person: &Person) -> Record {
        Record {
            handle: person.handle.clone(),
            fqhn: format!("{}@{}", person.handle, self.server),
            primary: person.primary.identifier(),
            sigchain_url: self.sigchain_url(&person.primary),
            registered_at: person.registered_at.to_string(),
            proofs: person.proofs.clone(),
        }
    }

    /// Where a person's sigchain is read over HTTP.
    pub fn sigchain_url(&self, primary: &PublicKey) -> String {
        self.url(http::SIGCHAIN).replace("{alg}", "ed25519").replace("{key}", &primary.to_hex())
    }

    /// A path of the HTTP API as browsers reach it.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// Announces a fact. The connection keeps the order, so followers have it before the caller has the reply.
    pub async fn announce(&self, primary: &PublicKey, fact: &RegistryFact) -> Result<(), Fault> {
        let fact = serde_json::to_vec(fact)?;
        if let Err(error) = self.nats.publish(REGISTRY_FEED.subject(&primary.to_hex()), fact.into()).await {
            // It is stored, and the registry is what followers ask when they have to know.
            tracing::warn!(%error, "a fact was stored and not announced");
        }
        Ok(())
    }
}
