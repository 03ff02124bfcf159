//! What clients ask of pushes themselves: the key that they are signed with, and one to try.

use kez_contract::Code;
use kez_contract::push::{AskVapidKey, Test, Tested, VapidKey};
use kez_service::{Call, Delivery, Fault};

use crate::app::App;
use crate::sender::Answer;

/// A client is about to subscribe.
pub async fn vapid_key(app: App, _call: Call<AskVapidKey>) -> Result<VapidKey, Fault> {
    Ok(VapidKey { key: app.vapid.public_key().to_owned() })
}

/// The same over HTTP.
pub async fn web_vapid_key(app: App, _call: Delivery<AskVapidKey>) -> Result<VapidKey, Fault> {
    Ok(VapidKey { key: app.vapid.public_key().to_owned() })
}

/// A person tries whether a push reaches them.
pub async fn test(app: App, call: Call<Test>) -> Result<Tested, Fault> {
    app.tests.check(&call.caller.primary)?;
    let theirs = app.store.subscriptions(&call.caller.primary).await?;
    if !theirs.iter().any(|kept| kept.endpoint == call.body.endpoint) {
        return Err(Fault::new(Code::NotFound, "there is no subscription of yours with this endpoint"));
    }
    let Ok(_turn) = app.tested_at_once.try_acquire() else {
        return Err(Fault::unavailable("others are trying theirs; try again"));
    };
    let _place = app.sender.place().await;
    let answer = app.sender.push(&call.body.endpoint).await;
    Ok(Tested { accepted: matches!(answer, Answer::Accepted(_)), status: answer.status() })
}
