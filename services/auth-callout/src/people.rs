//! Who is registered: the registry's word, kept for a minute.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use async_nats::Client;
use futures_util::StreamExt;
use kez_contract::event::REGISTRY_FEED;
use kez_contract::registry::{RESOLVE, Resolve};
use kez_contract::{Code, Problem};
use kez_crypto::PublicKey;
use kez_service::ask;
use moka::future::Cache;
use tokio::task::JoinSet;

/// People remembered at once.
const REMEMBERED: u64 = 100_000;
const FRESH: Duration = Duration::from_secs(60);

/// Only those who are registered are remembered: who is not may register now and sign in again at once.
#[derive(Clone)]
pub struct People {
    nats: Client,
    registered: Cache<PublicKey, ()>,
    /// Ends with the last clone.
    _feed: Arc<JoinSet<()>>,
}

impl People {
    /// Starts to follow the registry's feed.
    pub async fn follow(nats: &Client) -> Result<Self> {
        let registered: Cache<PublicKey, ()> =
            Cache::builder().max_capacity(REMEMBERED).time_to_live(FRESH).build();
        let mut facts = nats.subscribe(REGISTRY_FEED.pattern()).await?;
        let known = registered.clone();
        let mut feed = JoinSet::new();
        feed.spawn(async move {
            while let Some(fact) = facts.next().await {
                // Whatever it says, what we knew is older.
                if let Some(Ok(person)) = REGISTRY_FEED.owner(&fact.subject).map(PublicKey::from_hex) {
                    known.invalidate(&person).await;
                }
            }
        });
        Ok(Self { nats: nats.clone(), registered, _feed: Arc::new(feed) })
    }

    /// Whether the registry knows this person. Without the registry, only those remembered are known.
    pub async fn is_registered(&self, person: PublicKey) -> Result<bool, Problem> {
        if self.registered.get(&person).await.is_some() {
            return Ok(true);
        }
        match ask(&self.nats, RESOLVE, &Resolve { who: person.identifier() }).await {
            Ok(_) => {
                self.registered.insert(person, ()).await;
                Ok(true)
            }
            Err(problem) if matches!(problem.code, Code::NotFound | Code::UnknownRecipient) => Ok(false),
            Err(problem) => Err(problem),
        }
    }
}
