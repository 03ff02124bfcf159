//! News of mail: what the consumers `push` deliver that the inbox makes, one on each of its streams.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, Result};
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::{self, consumer};
use futures_util::{FutureExt, StreamExt};
use kez_contract::inbox::MAILBOXES;
use kez_contract::push::CONSUMER;
use kez_service::streams::api;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendError;
use tokio::task::JoinSet;

use super::mail::Mail;
use super::{Waking, Work};

/// Messages that are taken from the broker, and decided on, at once.
const BATCH: usize = 256;
/// Streams are looked for so often, until there is one, and then.
const SOON: Duration = Duration::from_millis(500);
const NOW_AND_THEN: Duration = Duration::from_secs(60);
/// A consumer that breaks is asked again after that.
const RETRY: Duration = Duration::from_secs(1);

/// Takes news from every stream of mailboxes, also of those that are made later.
pub async fn follow(waking: &Waking, desk: &mpsc::Sender<Work>) {
    let (mut followed, mut followers) = (HashSet::new(), JoinSet::new());
    loop {
        match streams(waking).await {
            Ok(streams) => {
                for stream in streams {
                    if followed.insert(stream.clone()) {
                        followers.spawn(take(waking.clone(), stream, desk.clone()));
                    }
                }
            }
            Err(error) => tracing::debug!(error = format!("{error:#}"), "no mail can be heard of"),
        }
        if !waking.pause(if followed.is_empty() { SOON } else { NOW_AND_THEN }).await {
            break;
        }
    }
    while followers.join_next().await.is_some() {}
}

/// Takes news from one stream until the service stops.
async fn take(waking: Waking, stream: String, desk: mpsc::Sender<Work>) {
    loop {
        if let Err(error) = take_until_broken(&waking, &stream, &desk).await {
            tracing::debug!(error = format!("{error:#}"), "news of mail broke off");
        }
        if !waking.pause(RETRY).await {
            return;
        }
    }
}

async fn take_until_broken(waking: &Waking, stream: &str, desk: &mpsc::Sender<Work>) -> Result<()> {
    let context = jetstream::new(waking.nats.clone());
    let found: PullConsumer =
        context.get_consumer_from_stream::<consumer::pull::Config, _, _>(CONSUMER, stream).await?;
    let news = found.stream().max_messages_per_batch(BATCH).messages().await?;
    let mut batches = news.ready_chunks(BATCH);
    while let Some(Some(batch)) = waking.stopping.run_until_cancelled(batches.next()).await {
        let mut arrived = Vec::with_capacity(batch.len());
        let mut broken = None;
        for message in batch {
            match message {
                Ok(message) => match Mail::read(&message) {
                    Some(mail) if mail.silent => mail.done(&waking.nats).await,
                    mail => arrived.extend(mail),
                },
                Err(error) => broken = Some(error),
            }
        }
        if !arrived.is_empty()
            && let Err(SendError(Work::Arrived(left) | Work::Asleep(left))) =
                desk.send(Work::Arrived(arrived)).await
        {
            give_back(waking, left).await;
        }
        if let Some(error) = broken {
            return Err(error.into());
        }
    }
    // What has come already goes to somebody else.
    while let Some(Some(batch)) = batches.next().now_or_never() {
        give_back(waking, batch.iter().flatten().filter_map(Mail::read)).await;
    }
    Ok(())
}

/// Another replica takes it.
async fn give_back(waking: &Waking, left: impl IntoIterator<Item = Mail>) {
    for mail in left {
        mail.again(&waking.nats, Duration::ZERO).await;
    }
}

/// The streams of mailboxes that have the consumer. On the way the broker's clock is read.
async fn streams(waking: &Waking) -> Result<Vec<String>> {
    let names: Names = api(&waking.nats, "STREAM.NAMES", &json!({ "subject": MAILBOXES })).await?;
    let mut ready = Vec::new();
    for stream in names.streams.unwrap_or_default() {
        let asked = format!("CONSUMER.INFO.{stream}.{CONSUMER}");
        let info: Info = api(&waking.nats, &asked, &json!({})).await?;
        let Some(now) = info.ts else { continue };
        let now = OffsetDateTime::parse(&now, &Rfc3339).context("the broker's clock cannot be read")?;
        waking.clock.set(i64::try_from(now.unix_timestamp_nanos() / 1_000_000)?);
        ready.push(stream);
    }
    Ok(ready)
}

#[derive(Deserialize)]
struct Names {
    streams: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Info {
    /// When the broker answered; not there when it has no such consumer.
    ts: Option<String>,
}
