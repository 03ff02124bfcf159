//! The inbox keeps sealed messages until their recipient has them.
//!
//! It promises: a send is acknowledged only when the message is stored and flushed; the same envelope is stored once
//! however often it is sent; a mailbox is read by its owner alone, in order; a full mailbox hurts only its owner; and
//! what every active device has acknowledged is no longer kept. It cannot read what it keeps, nor tell who sent it.

mod app;
mod config;
mod cursors;
mod devices;
mod mail;
mod people;
mod rules;
mod store;
mod streams;

use anyhow::Result;
use async_nats::Client;
use kez_contract::inbox::{ACK, FETCH, SEND, WEB_FETCH, WEB_OPEN_STREAM, WEB_RESUME_STREAM, WEB_SEND};
use kez_service::{Clock, Running, Service};

pub use config::{Config, Settings};

/// Prepares the streams and starts to answer.
pub async fn start(nats: &Client, settings: Settings, clock: Clock, concurrency: u32) -> Result<Running> {
    let app = app::App::new(nats, &settings, clock).await?;
    Service::new("inbox", app)
        // People, over NATS
        .on(SEND, mail::send)
        .on(FETCH, mail::fetch)
        .on(ACK, cursors::ack)
        // HTTP clients, through the gateway
        .on(WEB_SEND, mail::web_send)
        .on(WEB_FETCH, mail::web_fetch)
        .on(WEB_OPEN_STREAM, mail::web_open_stream)
        .on(WEB_RESUME_STREAM, mail::web_resume_stream)
        .start(nats, concurrency)
        .await
}
