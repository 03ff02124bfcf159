//! Who claims an account: asked of the tables, answered with the events themselves.

use futures_util::{StreamExt, TryStreamExt, stream};
use kez_contract::sigchain::{BySubject, Claimant, Claimants, MAX_CLAIMANTS, MAX_PAGE_BYTES};
use kez_crypto::Identifier;
use kez_service::{Call, Delivery, Fault};

use crate::app::App;
use crate::chains::{primary, refuse};

/// Events that are read from the stream at once.
const READS: usize = 16;

/// Who claims an account.
pub async fn claimants(app: App, call: Call<BySubject>) -> Result<Claimants, Fault> {
    find(&app, &call.body).await
}

/// The same over HTTP.
pub async fn web_claimants(app: App, call: Delivery<BySubject>) -> Result<Claimants, Fault> {
    find(&app, &call.body).await
}

async fn find(app: &App, request: &BySubject) -> Result<Claimants, Fault> {
    let subject = Identifier::parse(&request.subject).map_err(refuse)?;
    let after = request.after.as_deref().map(primary).transpose()?;
    let mut found = app.projection.claimants(&subject, after.as_ref(), MAX_CLAIMANTS + 1).await?;
    let mut more = found.len() > MAX_CLAIMANTS as usize;
    found.truncate(MAX_CLAIMANTS as usize);
    let read = stream::iter(found).map(|(primary, sequence)| async move {
        let event = app.ledger.store().event_at(sequence).await?;
        Ok::<_, Fault>(event.map(|event| Claimant { primary, event }))
    });
    let mut read = read.buffered(READS);
    let (mut claimants, mut bytes) = (Vec::new(), 0);
    while let Some(claimant) = read.try_next().await? {
        // A hundred long events are more than one reply carries: without an end here, anybody could keep an account's
        // claimants from being found.
        if bytes >= MAX_PAGE_BYTES {
            more = true;
            break;
        }
        bytes += claimant.as_ref().map_or(0, |claimant| claimant.event.get().len());
        claimants.extend(claimant);
    }
    Ok(Claimants { claimants, more })
}
