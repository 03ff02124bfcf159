//! Chains: extended by their owner, read by anyone.

use kez_contract::Code;
use kez_contract::sigchain::{
    Append, Appended, EventPage, Events, Head, MAX_EVENT, MAX_PAGE, OfPrimary, Standing, Stands,
};
use kez_crypto::chain::Unplaced;
use kez_crypto::{Primary, PublicKey};
use kez_service::{Call, Delivery, Fault};

use crate::app::App;

/// A person appends to their own chain.
pub async fn append(app: App, call: Call<Append>) -> Result<Appended, Fault> {
    app.appends.check(&call.caller.primary)?;
    let event = event(&call.body)?;
    if event.primary().ed25519().map(|key| key.to_hex()) != Some(call.caller.primary) {
        return Err(Fault::new(Code::WrongPrimary, "an event is appended by the identity that signed it"));
    }
    app.ledger.append(event).await
}

/// Somebody hands in an event over HTTP: who signed it is in it, and the gateway limits each address.
pub async fn web_append(app: App, call: Delivery<Append>) -> Result<Appended, Fault> {
    app.ledger.append(event(&call.body)?).await
}

/// Where a chain ends.
pub async fn head(app: App, call: Call<OfPrimary>) -> Result<Head, Fault> {
    let head = app.ledger.current(primary(&call.body.primary)?, |known| known.head()).await?;
    head.ok_or_else(|| Fault::new(Code::NotFound, "this identity's sigchain is empty"))
}

/// A part of a chain.
pub async fn events(app: App, call: Call<Events>) -> Result<EventPage, Fault> {
    page(&app, &call.body).await
}

/// The same over HTTP.
pub async fn web_events(app: App, call: Delivery<Events>) -> Result<EventPage, Fault> {
    page(&app, &call.body).await
}

/// How an identity stands by its chain, for services that let people in.
pub async fn standing(app: App, call: Delivery<Standing>) -> Result<Stands, Fault> {
    let primary = PublicKey::from_hex(&call.body.primary).map_err(refuse)?;
    let device = call.body.device.as_deref().map(PublicKey::from_hex).transpose().map_err(refuse)?;
    app.ledger
        .latest(primary.into(), |known| Stands {
            device_is_active: device.is_some_and(|device| known.chain().has_device(&device)),
            successor: known.chain().successor().map(|successor| successor.to_hex()),
        })
        .await
}

/// A primary, of either algorithm.
pub fn primary(text: &str) -> Result<Primary, Fault> {
    Primary::parse(text)
        .map_err(|_| Fault::malformed("a primary is ed25519:<64 lower-case hex> or nostr:npub1…"))
}

/// A fault of the protocol, as a refusal of the same name.
pub fn refuse(fault: kez_crypto::Fault) -> Fault {
    Fault::named(fault.code(), fault.to_string())
}

async fn page(app: &App, request: &Events) -> Result<EventPage, Fault> {
    if request.limit == 0 || request.limit > MAX_PAGE {
        return Err(Fault::malformed(format!("limit is 1 to {MAX_PAGE}")));
    }
    app.ledger.events(primary(&request.primary)?, request.since, request.limit).await
}

fn event(request: &Append) -> Result<Unplaced, Fault> {
    let text = request.event.get();
    if text.len() > MAX_EVENT {
        return Err(Fault::new(Code::TooLarge, format!("an event is at most {MAX_EVENT} bytes")));
    }
    Unplaced::parse(text.as_bytes()).map_err(refuse)
}
