//! Listening in: everything that passes on some subjects, as somebody may hear it.

use async_nats::{Message, Subscriber};
use futures_util::{FutureExt, StreamExt};
use tokio::task::unconstrained;

use crate::guest::Guest;

/// Somebody who hears, and says nothing.
pub struct Tap {
    guest: Guest,
    subscriptions: Vec<Subscriber>,
}

impl Tap {
    /// When this returns, nothing that is said from now on is missed.
    pub async fn on(guest: Guest, subjects: &[&str]) -> Self {
        let mut subscriptions = Vec::new();
        for subject in subjects {
            subscriptions.push(guest.nats.subscribe((*subject).to_owned()).await.unwrap());
        }
        let mut tap = Self { guest, subscriptions };
        tap.catch_up().await;
        tap
    }

    /// Everything that the broker has passed on since the last time, by subscription.
    pub async fn heard(&mut self) -> Vec<Message> {
        self.catch_up().await;
        let mut heard = Vec::new();
        for subscription in &mut self.subscriptions {
            // Unconstrained, or tokio would end this after some messages to let others run.
            while let Some(Some(message)) = unconstrained(subscription.next()).now_or_never() {
                heard.push(message);
            }
        }
        heard
    }

    /// The broker's answer comes behind all that it has passed on. (A flush would only empty this client's own buffer.)
    async fn catch_up(&mut self) {
        assert_eq!(self.guest.refusals().await, [""; 0], "may listen there");
    }
}
