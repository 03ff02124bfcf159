//! Handles that move: to the key that the sigchain of the one that has it names as its successor.

use std::sync::Arc;

use anyhow::Result as Anyhow;
use async_nats::Client;
use futures_util::StreamExt;
use kez_contract::event::{REGISTRY_FEED, RegistryFact};
use kez_contract::registry::Record;
use kez_contract::sigchain::{STANDING, Standing};
use kez_contract::{Document, Problem};
use kez_crypto::PublicKey;
use kez_service::{Fault, ask};
use tokio::task::JoinSet;

use crate::app::App;
use crate::directory::Directory;
use crate::store::Person;

/// Moves the handle that `holder` has to the person, if the holder's sigchain names them; none if it does not, or if the
/// handle is not the holder's any more. Their registration is announced as every other, and the move under the key that
/// has lost the handle.
pub async fn move_handle(
    app: &App,
    holder: &Person,
    person: &Person,
    envelope: &Document,
) -> Result<Option<Record>, Fault> {
    if successor_of(app, &holder.primary).await? != Some(person.primary) {
        return Ok(None);
    }
    if !app.store.move_handle(&holder.primary, person, envelope.get()).await? {
        return Ok(None);
    }
    app.directory.forget(holder.primary, &person.handle);
    let record = app.record(&app.directory.remember(person.clone()));
    let moved = RegistryFact::Rotated { record: record.clone(), envelope: envelope.clone() };
    app.announce(&holder.primary, &moved).await?;
    Ok(Some(record))
}

/// Starts to hear of the handles that other replicas move; ends with what is returned.
pub async fn follow(nats: &Client, directory: Directory) -> Anyhow<Arc<JoinSet<()>>> {
    let mut facts = nats.subscribe(REGISTRY_FEED.pattern()).await?;
    let mut feed = JoinSet::new();
    feed.spawn(async move {
        while let Some(fact) = facts.next().await {
            let Some(Ok(primary)) = REGISTRY_FEED.owner(&fact.subject).map(PublicKey::from_hex) else {
                continue;
            };
            if let Ok(RegistryFact::Rotated { record, .. }) = serde_json::from_slice(&fact.payload) {
                directory.forget(primary, &record.handle);
            }
        }
    });
    Ok(Arc::new(feed))
}

async fn successor_of(app: &App, holder: &PublicKey) -> Result<Option<PublicKey>, Problem> {
    let asked = Standing { primary: holder.to_hex(), device: None };
    let stands = ask(&app.nats, STANDING, &asked).await?;
    Ok(stands.successor.and_then(|successor| PublicKey::from_hex(&successor).ok()))
}
