//! Who claims an account: asked of the tables, answered with the events themselves.

use futures_util::{StreamExt, TryStreamExt, stream};
use kez_contract::sigchain::{BySubject, Claimant, Claimants, MAX_CLAIMANTS};
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
    let more = found.len() > MAX_CLAIMANTS as usize;
    found.truncate(MAX_CLAIMANTS as usize);
    let read = stream::iter(found).map(|(primary, sequence)| async move {
        let event = app.ledger.store().event_at(sequence).await?;
        Ok::<_, Fault>(event.map(|event| Claimant { primary, event }))
    });
    let claimants: Vec<_> = read.buffered(READS).try_collect().await?;
    Ok(Claimants { claimants: claimants.into_iter().flatten().collect(), more })
}
