//! Listening in: everything that passes on some subjects, as one of the broker's users may hear it.

use async_nats::{Client, Message, Subscriber};
use futures_util::{FutureExt, StreamExt};

/// Somebody who hears, and says nothing.
pub struct Tap {
    nats: Client,
    subscriptions: Vec<Subscriber>,
}

impl Tap {
    /// When this returns, nothing that is said from now on is missed.
    pub async fn on(nats: &Client, subjects: &[&str]) -> Self {
        let mut subscriptions = Vec::new();
        for subject in subjects {
            subscriptions.push(nats.subscribe((*subject).to_owned()).await.unwrap());
        }
        nats.flush().await.unwrap();
        Self { nats: nats.clone(), subscriptions }
    }

    /// Everything that the broker has passed on since the last time, by subscription.
    pub async fn heard(&mut self) -> Vec<Message> {
        // What it has passed on arrives before the answer to this.
        self.nats.flush().await.unwrap();
        let mut heard = Vec::new();
        for subscription in &mut self.subscriptions {
            while let Some(Some(message)) = subscription.next().now_or_never() {
                heard.push(message);
            }
        }
        heard
    }
}
