//! The push service wakes devices that sleep when there is mail for them.
//!
//! It promises: a push carries nothing, neither what was written nor by whom; whoever is connected is not woken; of mail
//! that comes close together one push is made; mail that was stored while nobody looked is woken for later, whichever
//! replica ends; and a subscription belongs to who signed for it, so nobody else can read it, take it or end it. It
//! reads the headers of stored mail alone, and speaks to public addresses alone.

mod app;
mod config;
mod rotations;
mod rules;
mod store;
mod subscriptions;

use anyhow::Result;
use async_nats::Client;
use kez_contract::push::{
    SUBSCRIBE, SUBSCRIPTIONS, UNSUBSCRIBE, WEB_SUBSCRIBE, WEB_SUBSCRIPTIONS, WEB_UNSUBSCRIBE,
};
use kez_service::{Clock, Running, Service};

pub use config::{Config, Settings};

/// Opens the database, brings it up to date and starts to answer.
pub async fn start(nats: &Client, settings: Settings, clock: Clock, concurrency: u32) -> Result<Running> {
    Service::new("push", app::App::new(nats, settings, clock).await?)
        // People, over NATS
        .on(SUBSCRIBE, subscriptions::subscribe)
        .on(UNSUBSCRIBE, subscriptions::unsubscribe)
        .on(SUBSCRIPTIONS, subscriptions::list)
        // HTTP clients, through the gateway
        .on(WEB_SUBSCRIBE, subscriptions::web_subscribe)
        .on(WEB_UNSUBSCRIBE, subscriptions::web_unsubscribe)
        .on(WEB_SUBSCRIPTIONS, subscriptions::web_list)
        .start(nats, concurrency)
        .await
}
