//! Keys that have moved to a successor are woken no more: the successor subscribes anew, with its own signature.

use std::sync::Arc;

use anyhow::Result;
use async_nats::Client;
use futures_util::StreamExt;
use kez_contract::event::{REGISTRY_FEED, RegistryFact};
use kez_crypto::PublicKey;
use tokio::task::JoinSet;

use crate::store::Store;

/// Starts to hear of keys that move, and ends their subscriptions; ends with what is returned. What is missed does no harm:
/// no mail comes any more for a key that has moved.
pub async fn follow(nats: &Client, store: Store) -> Result<Arc<JoinSet<()>>> {
    let mut facts = nats.subscribe(REGISTRY_FEED.pattern()).await?;
    let mut feed = JoinSet::new();
    feed.spawn(async move {
        while let Some(fact) = facts.next().await {
            let Some(Ok(primary)) = REGISTRY_FEED.owner(&fact.subject).map(PublicKey::from_hex) else {
                continue;
            };
            let is_rotation =
                matches!(serde_json::from_slice(&fact.payload), Ok(RegistryFact::Rotated { .. }));
            if is_rotation && store.forget(&primary.to_hex()).await.is_err() {
                tracing::warn!("the subscriptions of a key that has moved could not be ended");
            }
        }
    });
    Ok(Arc::new(feed))
}
