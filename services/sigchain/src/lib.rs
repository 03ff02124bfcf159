//! The sigchain service keeps what identities say of themselves: one append-only chain of signed events each.
//!
//! It promises: an event is acknowledged only when it is stored and flushed; of events that race for the same place one
//! is stored, and the others are told where the chain now ends; nothing that breaks a rule is stored; nothing is ever
//! changed or removed. The stream is the authority, and the SQL tables beside it can be rebuilt from it at any time. It
//! could withhold an event: readers who remember where a chain ended notice that.

mod app;
mod chains;
mod claimants;
mod config;
mod ledger;
mod projection;
mod proofs;
mod reindex;
mod store;

use anyhow::Result;
use async_nats::Client;
use kez_contract::sigchain::{
    APPEND, CLAIMANTS, EVENTS, HEAD, STANDING, VERIFY, WEB_APPEND, WEB_CLAIMANTS, WEB_EVENTS, WEB_VERIFY,
};
use kez_service::{Clock, Running, Service};

pub use config::{Config, Settings};
pub use reindex::{Report, reindex};

/// Prepares the stream, begins to follow it into the tables, and starts to answer.
pub async fn start(nats: &Client, settings: Settings, clock: Clock, concurrency: u32) -> Result<Running> {
    let app = app::App::new(nats, &settings, clock, concurrency).await?;
    Service::new("sigchain", app)
        // People, over NATS
        .on(APPEND, chains::append)
        .on(HEAD, chains::head)
        .on(EVENTS, chains::events)
        .on(CLAIMANTS, claimants::claimants)
        .on(VERIFY, proofs::verify)
        // HTTP clients, through the gateway
        .on(WEB_APPEND, chains::web_append)
        .on(WEB_EVENTS, chains::web_events)
        .on(WEB_CLAIMANTS, claimants::web_claimants)
        .on(WEB_VERIFY, proofs::web_verify)
        // Other services
        .on(STANDING, chains::standing)
        .start(nats, concurrency)
        .await
}
