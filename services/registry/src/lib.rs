//! The registry knows who exists: which handle belongs to which key, and what its owner says about themselves.
//!
//! It promises: a handle has one key and a key one handle, whatever races and however many replicas run; nothing is
//! stored that its owner has not signed, or that the broker has not proven to come from them; and who was registered
//! is announced before the registration is answered. A handle is never given to somebody else than the successor that its
//! owner's sigchain names; the key that it moves away from is refused from then on.

mod app;
mod config;
mod directory;
mod moves;
mod people;
mod profiles;
mod rules;
mod store;
mod webfinger;

use anyhow::Result;
use async_nats::Client;
use kez_contract::registry::{
    AVAILABLE, BY_PRIMARY, LOOKUP, PROFILE, PUT_PROFILE, PUT_PROOFS, REGISTER, RESOLVE, WEB_BY_PRIMARY,
    WEB_LOOKUP, WEB_PROFILE, WEB_PUT_PROFILE, WEB_PUT_PROOFS, WEB_REGISTER, WEB_WEBFINGER,
};
use kez_service::{Clock, Running, Service};

pub use config::{Config, Settings};
pub use store::{Person, Store};

/// Opens the database, brings it up to date and starts to answer.
pub async fn start(nats: &Client, settings: Settings, clock: Clock, concurrency: u32) -> Result<Running> {
    let store = Store::open(&settings.database_url).await?;
    Service::new("registry", app::App::new(nats, store, settings, clock).await?)
        // People, over NATS
        .on(REGISTER, people::register)
        .on(LOOKUP, people::lookup)
        .on(BY_PRIMARY, people::by_primary)
        .on(AVAILABLE, people::available)
        .on(PROFILE, profiles::profile)
        .on(PUT_PROFILE, profiles::put_profile)
        .on(PUT_PROOFS, profiles::put_proofs)
        // HTTP clients, through the gateway
        .on(WEB_REGISTER, people::web_register)
        .on(WEB_LOOKUP, people::web_lookup)
        .on(WEB_BY_PRIMARY, people::web_by_primary)
        .on(WEB_WEBFINGER, webfinger::webfinger)
        .on(WEB_PROFILE, profiles::web_profile)
        .on(WEB_PUT_PROFILE, profiles::web_put_profile)
        .on(WEB_PUT_PROOFS, profiles::web_put_proofs)
        // Other services
        .on(RESOLVE, people::resolve)
        .start(nats, concurrency)
        .await
}
