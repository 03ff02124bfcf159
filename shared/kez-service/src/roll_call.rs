//! Calling the roll: one question to every replica of every service, and whoever answers in time.

use std::time::Duration;

use anyhow::Result;
use async_nats::Client;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

/// Asks on each of these subjects and gathers the answers of all who give one within `patience`.
pub async fn gather<Reply: DeserializeOwned>(
    nats: &Client,
    subjects: &[&'static str],
    patience: Duration,
) -> Result<Vec<Reply>> {
    let inbox = nats.new_inbox();
    let mut answers = nats.subscribe(inbox.clone()).await?;
    for subject in subjects {
        nats.publish_with_reply(*subject, inbox.clone(), "".into()).await?;
    }
    let deadline = Instant::now() + patience;
    let mut replies = Vec::new();
    while let Ok(Some(answer)) = timeout_at(deadline, answers.next()).await {
        // The broker's own "no responders" has a status and no body.
        if answer.status.is_none()
            && let Ok(reply) = serde_json::from_slice(&answer.payload)
        {
            replies.push(reply);
        }
    }
    Ok(replies)
}
