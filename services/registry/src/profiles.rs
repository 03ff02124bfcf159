//! What people say about themselves: a signed profile, and the subjects that they say are theirs.

use std::sync::Arc;

use kez_contract::event::RegistryFact;
use kez_contract::registry::{ByHandle, MAX_PROFILE, Profile, PutProfile, PutProofs, Record, SignedPut};
use kez_contract::{Code, Document};
use kez_crypto::{Handle, PublicKey, Timestamp, request_auth};
use kez_service::{Call, Caller, Delivery, Fault};
use serde_json::value::RawValue;

use crate::app::App;
use crate::store::Person;
use crate::{people, rules};

/// Reads somebody's profile.
pub async fn profile(app: App, call: Call<ByHandle>) -> Result<Profile, Fault> {
    profile_of(&app, &call.body.handle).await
}

/// The same over HTTP.
pub async fn web_profile(app: App, call: Delivery<ByHandle>) -> Result<Profile, Fault> {
    profile_of(&app, &call.body.handle).await
}

/// A person puts their profile.
pub async fn put_profile(app: App, call: Call<PutProfile>) -> Result<Profile, Fault> {
    let person = caller(&app, &call.caller).await?;
    put(&app, &person, call.body.envelope).await
}

/// The same over HTTP: the body is the envelope, and the header signs it.
pub async fn web_put_profile(app: App, call: Delivery<SignedPut>) -> Result<Profile, Fault> {
    let (person, _) = signer(&app, &call.body, request_auth::profile).await?;
    let envelope =
        RawValue::from_string(call.body.body).map_err(|_| Fault::malformed("the body is not JSON"))?;
    put(&app, &person, envelope).await
}

/// A person says which subjects are theirs.
pub async fn put_proofs(app: App, call: Call<PutProofs>) -> Result<Record, Fault> {
    let person = caller(&app, &call.caller).await?;
    let proofs = rules::subjects(&call.body.subjects)?;
    set_proofs(&app, &person, proofs, app.now(), None).await
}

/// The same over HTTP: the header signs the body, and no list replaces one that was signed after it.
pub async fn web_put_proofs(app: App, call: Delivery<SignedPut>) -> Result<Record, Fault> {
    let (person, signed_at) = signer(&app, &call.body, request_auth::proofs).await?;
    let proofs = rules::subjects(&rules::proofs_body(&call.body.body)?.subjects)?;
    set_proofs(&app, &person, proofs, signed_at, Some(signed_at)).await
}

async fn profile_of(app: &App, handle: &str) -> Result<Profile, Fault> {
    let person = people::find(app, handle).await?;
    let text = app.store.profile(&person.primary).await?;
    let text = text.ok_or_else(|| Fault::new(Code::NotFound, "this person has put no profile"))?;
    Ok(Profile { envelope: RawValue::from_string(text)? })
}

async fn put(app: &App, person: &Person, envelope: Document) -> Result<Profile, Fault> {
    rules::at_most(MAX_PROFILE, envelope.get())?;
    let profile = kez_crypto::Profile::check(envelope.get().as_bytes(), app.now()).map_err(rules::refuse)?;
    rules::speaks_for(&person.primary.to_hex(), &profile.primary)?;
    app.puts.check(&person.primary.to_hex())?;
    if app.store.put_profile(&person.primary, profile.updated_at, envelope.get()).await? {
        let updated_at = profile.updated_at.to_string();
        app.announce(&person.primary, &RegistryFact::Profile { updated_at }).await?;
        return Ok(Profile { envelope });
    }
    let stored = app.store.profile(&person.primary).await?.unwrap_or_default();
    rules::same_profile(&stored, envelope.get())?;
    Ok(Profile { envelope: RawValue::from_string(stored)? })
}

async fn set_proofs(
    app: &App,
    person: &Person,
    proofs: Vec<String>,
    set_at: Timestamp,
    unless_set_after: Option<Timestamp>,
) -> Result<Record, Fault> {
    app.puts.check(&person.primary.to_hex())?;
    if !app.store.set_proofs(&person.primary, &proofs, set_at, unless_set_after).await? {
        return Err(Fault::new(Code::Outdated, "these proofs were signed before those that are stored"));
    }
    Ok(app.record(&app.directory.remember(Person { proofs, ..person.clone() })))
}

/// The person who calls over NATS.
async fn caller(app: &App, caller: &Caller) -> Result<Arc<Person>, Fault> {
    let primary = PublicKey::from_hex(&caller.primary).map_err(rules::refuse)?;
    let person = app.directory.by_primary(&primary).await?;
    person.ok_or_else(|| Fault::new(Code::NotFound, "you are not registered here"))
}

/// The person of that handle, who signed the body as part of the text that `request` makes of it, and when.
async fn signer(
    app: &App,
    put: &SignedPut,
    request: fn(&Handle, &str) -> String,
) -> Result<(Arc<Person>, Timestamp), Fault> {
    if put.auth.is_empty() {
        return Err(Fault::new(Code::Unauthorized, "this request has to be signed in X-KEZ-Auth"));
    }
    // Signed as it stands in the path, so here it stands without `@server`.
    let handle = Handle::parse(&put.handle).map_err(|_| rules::nobody())?;
    let person = app.directory.by_handle(&handle).await?.ok_or_else(rules::nobody)?;
    let text = request(&handle, &rules::sha256_hex(&put.body));
    let signed_at =
        request_auth::check(&put.auth, &text, &person.primary, app.now(), request_auth::SKEW_SECONDS);
    Ok((person, Timestamp::from_unix(signed_at.map_err(rules::refuse)?)))
}
