//! People: registered once, found by handle and by key.

use std::sync::Arc;

use kez_contract::event::RegistryFact;
use kez_contract::registry::{
    Availability, ByHandle, ByPrimary, MAX_REGISTRATION, Record, Register, Registered, Resolve, Resolved,
};
use kez_contract::{Code, Document};
use kez_crypto::{Handle, PublicKey, Registration};
use kez_service::{Call, Delivery, Fault};

use crate::app::App;
use crate::moves;
use crate::rules;
use crate::store::Person;

/// A person registers themselves.
pub async fn register(app: App, call: Call<Register>) -> Result<Registered, Fault> {
    let registration = check(&app, &call.body.envelope)?;
    rules::speaks_for(&call.caller.primary, &registration.primary)?;
    enter(&app, registration, call.body.envelope).await
}

/// The same over HTTP: the envelope says who it is.
pub async fn web_register(app: App, call: Delivery<Register>) -> Result<Registered, Fault> {
    let registration = check(&app, &call.body.envelope)?;
    enter(&app, registration, call.body.envelope).await
}

/// Looks somebody up by handle.
pub async fn lookup(app: App, call: Call<ByHandle>) -> Result<Record, Fault> {
    record_by_handle(&app, &call.body.handle).await
}

/// The same over HTTP.
pub async fn web_lookup(app: App, call: Delivery<ByHandle>) -> Result<Record, Fault> {
    record_by_handle(&app, &call.body.handle).await
}

/// Looks somebody up by primary.
pub async fn by_primary(app: App, call: Call<ByPrimary>) -> Result<Record, Fault> {
    record_by_primary(&app, &call.body.primary).await
}

/// The same over HTTP.
pub async fn web_by_primary(app: App, call: Delivery<ByPrimary>) -> Result<Record, Fault> {
    record_by_primary(&app, &call.body.primary).await
}

/// Says whether a handle can be registered.
pub async fn available(app: App, call: Call<ByHandle>) -> Result<Availability, Fault> {
    let taken = match rules::handle_to_register(&call.body.handle, &app.server)? {
        Ok(handle) => app.directory.by_handle(&handle).await?.map(|_| Code::HandleTaken),
        Err(reason) => Some(reason),
    };
    Ok(Availability { available: taken.is_none(), reason: taken })
}

/// Tells another service whom a handle or a key belongs to.
pub async fn resolve(app: App, call: Delivery<Resolve>) -> Result<Resolved, Fault> {
    let found = match rules::key_named(&call.body.who)? {
        Some(primary) => app.directory.resolve_primary(&primary).await?,
        None => app.directory.resolve_handle(&rules::handle_here(&call.body.who, &app.server)?).await?,
    };
    let person = found.ok_or_else(rules::nobody)?;
    Ok(Resolved { handle: person.handle.clone(), primary: person.primary.to_hex() })
}

/// The person of that handle, with or without `@server`.
pub async fn find(app: &App, handle: &str) -> Result<Arc<Person>, Fault> {
    app.directory.by_handle(&rules::handle_here(handle, &app.server)?).await?.ok_or_else(rules::nobody)
}

async fn record_by_handle(app: &App, handle: &str) -> Result<Record, Fault> {
    Ok(app.record(&*find(app, handle).await?))
}

async fn record_by_primary(app: &App, primary: &str) -> Result<Record, Fault> {
    let primary = PublicKey::parse(primary).map_err(rules::refuse)?;
    let person = app.directory.by_primary(&primary).await?.ok_or_else(rules::nobody)?;
    Ok(app.record(&person))
}

fn check(app: &App, envelope: &Document) -> Result<Registration, Fault> {
    rules::at_most(MAX_REGISTRATION, envelope.get())?;
    Registration::check(envelope.get().as_bytes(), &app.server, app.now()).map_err(rules::refuse)
}

/// Stores a registration unless something is in its way; the database decides, so that of two that race one wins.
async fn enter(app: &App, registration: Registration, envelope: Document) -> Result<Registered, Fault> {
    let (handle, primary) = (registration.handle, registration.primary);
    if app.directory.has_moved(&primary).await? {
        return Err(rules::rotated());
    }
    let person =
        Person { handle: handle.as_str().to_owned(), primary, registered_at: app.now(), proofs: Vec::new() };
    if app.store.add_person(&person, envelope.get()).await? {
        let record = app.record(&app.directory.remember(person));
        return announced(app, &primary, record, envelope).await;
    }
    let (mut of_handle, mut of_primary) = in_the_way(app, &handle, &primary).await?;
    if let (Some(holder), None) = (&of_handle, &of_primary)
        && holder.primary != primary
    {
        if let Some(record) = moves::move_handle(app, holder, &person, &envelope).await? {
            return announced(app, &primary, record, envelope).await;
        }
        // The same request may have moved it meanwhile.
        (of_handle, of_primary) = in_the_way(app, &handle, &primary).await?;
    }
    if of_primary.is_none() && app.directory.has_moved(&primary).await? {
        return Err(rules::rotated());
    }
    let person = rules::standing(of_handle, of_primary, &primary)?;
    Ok(Registered { created: false, record: app.record(&person) })
}

/// Who has the handle, and who has the key. The key is asked about first: of a handle that moves meanwhile, it is then seen
/// that it is the asker's.
async fn in_the_way(
    app: &App,
    handle: &Handle,
    primary: &PublicKey,
) -> Result<(Option<Person>, Option<Person>), Fault> {
    let of_primary = app.store.person_by_primary(primary).await?;
    Ok((app.store.person_by_handle(handle.as_str()).await?, of_primary))
}

async fn announced(
    app: &App,
    primary: &PublicKey,
    record: Record,
    envelope: Document,
) -> Result<Registered, Fault> {
    app.announce(primary, &RegistryFact::Registered { record: record.clone(), envelope }).await?;
    Ok(Registered { created: true, record })
}
