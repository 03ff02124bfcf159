//! Mail: handed in by anyone, read by its owner.

use kez_contract::inbox::{
    Fetch, MAX_ENVELOPE, MAX_PAGE, Page, STREAM_LIFETIME, Send, Sent, SignedFetch, StreamPage, send_weight,
};
use kez_contract::registry::Resolved;
use kez_contract::{Code, Problem};
use kez_crypto::{Handle, PublicKey, request_auth, sealed};
use kez_service::{Call, Delivery, Fault};

use crate::app::App;
use crate::store::Mail;

/// How far the clocks of an HTTP client and of the server may be apart, in seconds.
const CLOCK_SKEW: i64 = 60;

/// A person sends.
pub async fn send(app: App, call: Call<Send>) -> Result<Sent, Fault> {
    app.sends.check_weight(&call.caller.primary, send_weight(call.body.envelope.get().len()))?;
    deliver(&app, &call.body).await
}

/// Somebody sends over HTTP; the gateway limits each address.
pub async fn web_send(app: App, call: Delivery<Send>) -> Result<Sent, Fault> {
    deliver(&app, &call.body).await
}

/// A person reads their own mailbox.
pub async fn fetch(app: App, call: Call<Fetch>) -> Result<Page, Fault> {
    app.fetches.check(&call.caller.primary)?;
    check_limit(call.body.limit)?;
    app.store.remember_device(&call.caller.primary, &call.caller.device).await?;
    app.store.page(&call.caller.primary, call.body.since, call.body.limit).await
}

/// The same over HTTP.
pub async fn web_fetch(app: App, call: Delivery<SignedFetch>) -> Result<Page, Fault> {
    let text = request_auth::inbox(&handle(&call.body)?, call.body.since);
    let owner = owner(&app, &call.body, &text, CLOCK_SKEW).await?;
    page(&app, &owner.primary, call.body.since, call.body.limit).await
}

/// Opens a stream over HTTP: the first page, and whose live subject continues it.
pub async fn web_open_stream(app: App, call: Delivery<SignedFetch>) -> Result<StreamPage, Fault> {
    stream_page(&app, &call.body, CLOCK_SKEW).await
}

/// Fills a gap in a stream that is open: the signature that opened it still counts, for as long as a stream may live.
pub async fn web_resume_stream(app: App, call: Delivery<SignedFetch>) -> Result<StreamPage, Fault> {
    let lifetime = i64::try_from(STREAM_LIFETIME).unwrap_or(i64::MAX);
    stream_page(&app, &call.body, lifetime.saturating_add(CLOCK_SKEW)).await
}

async fn deliver(app: &App, send: &Send) -> Result<Sent, Fault> {
    let text = send.envelope.get();
    if text.len() > MAX_ENVELOPE {
        return Err(Fault::new(Code::TooLarge, format!("a sealed envelope is at most {MAX_ENVELOPE} bytes")));
    }
    let carried = sealed::carry(text.as_bytes()).map_err(refuse)?;
    let recipient = app.people.resolve(&send.to).await.map_err(unknown_recipient)?;
    let id = carried.transport_id;
    let mail = Mail { transport_id: id.clone(), sealed: carried.canonical.into(), silent: send.silent };
    Ok(Sent { id, seq: app.store.put(&recipient.primary, mail).await? })
}

async fn stream_page(app: &App, request: &SignedFetch, skew: i64) -> Result<StreamPage, Fault> {
    let owner = owner(app, request, &request_auth::stream(&handle(request)?), skew).await?;
    let page = page(app, &owner.primary, request.since, request.limit).await?;
    Ok(StreamPage { primary: owner.primary, page })
}

async fn page(app: &App, primary: &str, since: u64, limit: u32) -> Result<Page, Fault> {
    check_limit(limit)?;
    app.store.page(primary, since, limit).await
}

fn check_limit(limit: u32) -> Result<(), Fault> {
    if limit == 0 || limit > MAX_PAGE {
        return Err(Fault::malformed(format!("limit is 1 to {MAX_PAGE}")));
    }
    Ok(())
}

/// Whose mailbox it is, once the signature of its owner was verified over `text`.
async fn owner(app: &App, request: &SignedFetch, text: &str, skew: i64) -> Result<Resolved, Fault> {
    let owner = app.people.resolve(&request.handle).await?;
    let key = PublicKey::from_hex(&owner.primary).map_err(refuse)?;
    request_auth::check(&request.auth, text, &key, app.now(), skew).map_err(refuse)?;
    app.fetches.check(&owner.primary)?;
    Ok(owner)
}

/// Nobody is behind a handle that could not be registered.
fn handle(request: &SignedFetch) -> Result<Handle, Fault> {
    Handle::parse(&request.handle)
        .map_err(|_| Fault::new(Code::NotFound, "nobody is registered here under that name"))
}

fn refuse(fault: kez_crypto::Fault) -> Fault {
    Fault::named(fault.code(), fault.to_string())
}

fn unknown_recipient(problem: Problem) -> Problem {
    match problem.code {
        Code::NotFound => Problem::new(Code::UnknownRecipient, "nobody is registered under that name or key"),
        _ => problem,
    }
}
