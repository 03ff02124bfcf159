//! Cursors: up to where each device has its mail, and so what nobody needs any more.

use kez_contract::inbox::{Ack, Acked};
use kez_service::{Call, Fault};

use crate::app::App;
use crate::rules;

/// A device has everything up to and including a sequence.
pub async fn ack(app: App, call: Call<Ack>) -> Result<Acked, Fault> {
    app.fetches.check(&call.caller.primary)?;
    let (primary, device) = (&call.caller.primary, &call.caller.device);
    // Beyond the newest message there is nothing to have: a cursor out there would swallow mail that is still to come.
    let newest = app.store.newest(primary).await?;
    let cursor = app.store.advance_cursor(primary, device, call.body.seq.min(newest)).await?;
    let purged = rules::held_by_all(&app.store.cursors(primary).await?);
    if purged > 0 {
        app.store.purge(primary, purged).await?;
    }
    Ok(Acked { cursor, purged })
}
