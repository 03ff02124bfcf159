//! The auth callout decides who may connect, and what they may then say.
//!
//! It promises: nobody signs in as a key without proving it, by a signature over this connection's nonce; what somebody
//! may publish and receive names their own key and device and nobody else's; a device is let in while its owner's sigchain
//! has it, and disconnected when it has it no more (farewell.rs); whoever is refused, or cannot be decided on within a
//! second, is left without an answer; and a replica that cannot answer ends.

mod app;
#[cfg(test)]
mod attacks;
mod config;
mod connections;
mod devices;
mod farewell;
mod issuer;
mod jwt;
mod news;
mod people;
mod refusal;
mod remembered;
mod rules;
mod sealing;
mod sign_in;

use anyhow::Result;
use async_nats::Client;
use kez_contract::sign_in::{ASKED, QUEUE_GROUP};
use kez_service::{Clock, Service};

pub use config::{Config, Settings};
pub use kez_service::Running;

/// Reads the keys that answers are signed and sealed with, and starts to answer.
pub async fn start(nats: &Client, settings: Settings, clock: Clock, concurrency: u32) -> Result<Running> {
    let app = app::App::new(nats, settings, clock).await?;
    Service::new("auth-callout", app)
        .on_raw("sign-in", ASKED, QUEUE_GROUP, sign_in::sign_in)
        .start(nats, concurrency)
        .await
}
