//! Subscriptions: made, ended and listed by the person whom they wake, and by nobody else.

use kez_contract::Code;
use kez_contract::push::{
    ListSubscriptions, MAX_PUSH_REQUEST, SignedList, SignedPush, Subscribe, Subscription, Subscriptions,
    Unsubscribe,
};
use kez_contract::registry::{RESOLVE, Resolve};
use kez_crypto::{Handle, PublicKey, Timestamp, json, request_auth};
use kez_service::{Call, Delivery, Fault, ask};
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::rules;

/// A person subscribes.
pub async fn subscribe(app: App, call: Call<Subscribe>) -> Result<Subscriptions, Fault> {
    app.calls.check(&call.caller.primary)?;
    add(&app, &call.caller.primary, &call.body).await
}

/// The same over HTTP.
pub async fn web_subscribe(app: App, call: Delivery<SignedPush>) -> Result<Subscriptions, Fault> {
    let body: Subscribe = parse(&call.body.body)?;
    let handle = handle(&call.body.handle)?;
    let text = request_auth::push_subscribe(&handle, &body.endpoint);
    add(&app, &signer(&app, &handle, &call.body.auth, &text).await?, &body).await
}

/// A person ends one of their subscriptions.
pub async fn unsubscribe(app: App, call: Call<Unsubscribe>) -> Result<Subscriptions, Fault> {
    app.calls.check(&call.caller.primary)?;
    remove(&app, &call.caller.primary, &call.body).await
}

/// The same over HTTP.
pub async fn web_unsubscribe(app: App, call: Delivery<SignedPush>) -> Result<Subscriptions, Fault> {
    let body: Unsubscribe = parse(&call.body.body)?;
    let handle = handle(&call.body.handle)?;
    let text = request_auth::push_unsubscribe(&handle, &body.endpoint);
    remove(&app, &signer(&app, &handle, &call.body.auth, &text).await?, &body).await
}

/// A person reads which subscriptions are theirs.
pub async fn list(app: App, call: Call<ListSubscriptions>) -> Result<Subscriptions, Fault> {
    app.calls.check(&call.caller.primary)?;
    standing(&app, &call.caller.primary).await
}

/// The same over HTTP.
pub async fn web_list(app: App, call: Delivery<SignedList>) -> Result<Subscriptions, Fault> {
    let handle = handle(&call.body.handle)?;
    let text = request_auth::push_subscriptions(&handle);
    standing(&app, &signer(&app, &handle, &call.body.auth, &text).await?).await
}

async fn add(app: &App, primary: &str, wanted: &Subscribe) -> Result<Subscriptions, Fault> {
    rules::endpoint(&wanted.endpoint, |address| app.permits(address))?;
    rules::keys(&wanted.keys)?;
    if !app.store.subscribe(primary, wanted, app.clock.milliseconds()).await? {
        return Err(rules::too_many());
    }
    standing(app, primary).await
}

async fn remove(app: &App, primary: &str, ended: &Unsubscribe) -> Result<Subscriptions, Fault> {
    app.store.unsubscribe(primary, &ended.endpoint).await?;
    standing(app, primary).await
}

async fn standing(app: &App, primary: &str) -> Result<Subscriptions, Fault> {
    let kept = app.store.subscriptions(primary).await?;
    let subscriptions = kept.into_iter().map(|kept| Subscription {
        created_at: Timestamp::from_unix(kept.created_at / 1000).to_string(),
        endpoint: kept.endpoint,
    });
    Ok(Subscriptions { subscriptions: subscriptions.collect() })
}

/// The primary of whoever is registered under that handle, once their signature was verified over `text`.
async fn signer(app: &App, handle: &Handle, auth: &str, text: &str) -> Result<String, Fault> {
    if auth.is_empty() {
        return Err(Fault::new(Code::Unauthorized, "this request has to be signed in X-KEZ-Auth"));
    }
    let person = ask(&app.nats, RESOLVE, &Resolve { who: handle.to_string() }).await?;
    let key = PublicKey::from_hex(&person.primary).map_err(rules::refuse)?;
    request_auth::check(auth, text, &key, app.now(), request_auth::SKEW_SECONDS).map_err(rules::refuse)?;
    // Counted only now, so that nobody uses up what is another's.
    app.calls.check(&person.primary)?;
    Ok(person.primary)
}

/// Nobody is behind a handle that could not be registered.
fn handle(text: &str) -> Result<Handle, Fault> {
    Handle::parse(text).map_err(|_| Fault::new(Code::NotFound, "nobody is registered here under that name"))
}

/// The body of an HTTP client, strict JSON.
fn parse<Body: DeserializeOwned>(text: &str) -> Result<Body, Fault> {
    if text.len() > MAX_PUSH_REQUEST {
        return Err(Fault::new(
            Code::TooLarge,
            format!("the request is larger than {MAX_PUSH_REQUEST} bytes"),
        ));
    }
    let value = json::parse(text.as_bytes()).map_err(rules::refuse)?;
    serde_json::from_value(value)
        .map_err(|_| Fault::malformed("the body does not have the members that this call takes"))
}
