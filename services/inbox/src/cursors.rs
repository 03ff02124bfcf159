//! Cursors: up to where each device has its mail, and so what nobody needs any more.

use kez_contract::inbox::{Ack, Acked};
use kez_service::{Call, Caller, Fault};

use crate::app::App;
use crate::rules;

/// So many devices that are active no more are passed over at once, the furthest behind first; a person has few.
const PASSED_OVER: usize = 32;

/// A device has everything up to and including a sequence.
pub async fn ack(app: App, call: Call<Ack>) -> Result<Acked, Fault> {
    app.fetches.check(&call.caller.primary)?;
    let (primary, device) = (&call.caller.primary, &call.caller.device);
    // Beyond the newest message there is nothing to have: a cursor out there would swallow mail that is still to come.
    let newest = app.store.newest(primary).await?;
    let cursor = app.store.advance_cursor(primary, device, call.body.seq.min(newest)).await?;
    let purged = held_by_all(&app, &call.caller, cursor).await?;
    if purged > 0 {
        app.store.purge(primary, purged).await?;
    }
    Ok(Acked { cursor, purged })
}

/// The sequence up to which every active device has everything, asked by one that stands at `own`.
async fn held_by_all(app: &App, caller: &Caller, own: u64) -> Result<u64, Fault> {
    let behind = rules::behind(own, app.store.cursors(&caller.primary).await?);
    for (passed_over, (device, cursor)) in behind.iter().enumerate() {
        if passed_over == PASSED_OVER || app.devices.count(&caller.primary, device).await {
            return Ok(cursor.seq);
        }
    }
    Ok(own)
}
