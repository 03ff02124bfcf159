//! The push service wakes devices that sleep when there is mail for them.
//!
//! It promises: a push carries nothing, neither what was written nor by whom; whoever is connected is not woken; of mail
//! that comes close together one push is made; mail that was stored while nobody looked is woken for later, whichever
//! replica ends; and a subscription belongs to who signed for it, so nobody else can read it, take it or end it. It
//! reads the headers of stored mail alone, and speaks to public addresses alone.

mod app;
mod config;
mod counts;
mod pushes;
mod rotations;
mod rules;
mod sender;
mod store;
mod subscriptions;
mod times;
mod vapid;
mod waking;

use anyhow::Result;
use async_nats::Client;
use kez_contract::push::{
    SUBSCRIBE, SUBSCRIPTIONS, TEST, UNSUBSCRIBE, VAPID_KEY, WEB_SUBSCRIBE, WEB_SUBSCRIPTIONS,
    WEB_UNSUBSCRIBE, WEB_VAPID_KEY,
};
use kez_service::{Clock, Running, Service};

pub use config::{Config, Settings};
use counts::Counts;
use times::BrokerClock;

/// Opens the database, brings it up to date, and starts to answer and to wake.
pub async fn start(nats: &Client, settings: Settings, clock: Clock, concurrency: u32) -> Result<Running> {
    let app = app::App::new(nats, &settings, clock.clone()).await?;
    let (store, sender, counts) = (app.store.clone(), app.sender.clone(), Counts::default());
    let told = counts.clone();
    let running = Service::new("push", app)
        .telling(move || told.told())
        // People, over NATS
        .on(SUBSCRIBE, subscriptions::subscribe)
        .on(UNSUBSCRIBE, subscriptions::unsubscribe)
        .on(SUBSCRIPTIONS, subscriptions::list)
        .on(VAPID_KEY, pushes::vapid_key)
        .on(TEST, pushes::test)
        // HTTP clients, through the gateway
        .on(WEB_SUBSCRIBE, subscriptions::web_subscribe)
        .on(WEB_UNSUBSCRIBE, subscriptions::web_unsubscribe)
        .on(WEB_SUBSCRIPTIONS, subscriptions::web_list)
        .on(WEB_VAPID_KEY, pushes::web_vapid_key)
        .start(nats, concurrency)
        .await?;
    let end = waking::start(nats, store, sender, counts, BrokerClock::new(clock)).await?;
    Ok(running.with_rest(end))
}
