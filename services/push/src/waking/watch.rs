//! Watching who is connected, for those whose mail is held.

use std::time::Duration;

use anyhow::Result;
use async_nats::{Client, Message};
use futures_util::stream::select;
use futures_util::{Stream, StreamExt};
use kez_contract::push::Outcome;
use kez_contract::sign_in::{CONNECTED, DISCONNECTED};
use kez_service::connections::{ANSWERS, Connections};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::presence::{Change, End};
use super::{Waking, Work};

/// Between two lists passes so much time, and so much more than a list takes.
const PAUSE: Duration = Duration::from_secs(5);
const SHARE: u32 = 19;
/// Before a first list is asked for again that did not come.
const SOON: Duration = Duration::from_secs(1);
/// A list is asked for at least as often, lest news that were lost stay lost.
const LONGEST: Duration = Duration::from_secs(60);

/// Begins to hear of connections.
pub async fn changes(nats: &Client) -> Result<impl Stream<Item = Message> + Unpin + Send + Sync + 'static> {
    Ok(select(nats.subscribe(CONNECTED).await?, nats.subscribe(DISCONNECTED).await?))
}

/// Takes note of connections that begin and end. Mail of whom the last one ends is decided on at once.
pub async fn follow(
    waking: Waking,
    mut changes: impl Stream<Item = Message> + Unpin,
    desk: mpsc::Sender<Work>,
) {
    while let Some(Some(message)) = waking.stopping.run_until_cancelled(changes.next()).await {
        let Some(change) = Change::read(&message) else { continue };
        let (primary, ended) = (change.primary.clone(), change.ended);
        waking.presence.note(change);
        if ended.is_none() || waking.presence.is_online(&primary) {
            continue;
        }
        let broken = (ended == Some(End::Otherwise)).then(|| waking.held.broken(&primary)).flatten();
        let asleep: Vec<_> = waking.held.take(&primary).or(broken).into_iter().collect();
        if !asleep.is_empty() && desk.send(Work::Asleep(asleep)).await.is_err() {
            return;
        }
    }
}

/// Asks who is connected whenever that decides on something, but not all the time.
pub async fn lists(waking: &Waking, desk: &mpsc::Sender<Work>) {
    let mut pause = PAUSE;
    while waking.pause(pause).await {
        // Nothing is held while it is not known who is connected: then everybody waits for the list.
        if waking.presence.is_known() {
            let waiting = timeout(LONGEST.saturating_sub(pause), waking.held.some());
            if waking.stopping.run_until_cancelled(waiting).await.is_none() {
                return;
            }
        }
        let asked = Instant::now();
        if !list(waking).await {
            continue;
        }
        let decided = waking.held.decide(asked, &waking.presence);
        waking.counts.count_many(Outcome::SkippedOnline, decided.online.len());
        for mail in decided.online {
            mail.done(&waking.nats).await;
        }
        if !decided.offline.is_empty() && desk.send(Work::Asleep(decided.offline)).await.is_err() {
            return;
        }
        // Of the time that a list takes, the broker spends what is not waited for servers that nobody knows of.
        pause = PAUSE.max(asked.elapsed().saturating_sub(ANSWERS) * SHARE);
    }
}

/// Asks who is connected until that is known, or will not be: otherwise everybody would seem to be away at first.
pub async fn first_list(waking: &Waking) {
    while !list(waking).await && waking.pause(SOON).await {}
}

/// Asks who is connected, once, and answers whether what came of it decides on anybody.
async fn list(waking: &Waking) -> bool {
    waking.presence.begin_list();
    let list = Connections::new(&waking.nats).all().await;
    if let Err(error) = &list {
        tracing::warn!(error = format!("{error:#}"), "no list has come of who is connected");
    }
    waking.presence.end_list(list.ok())
}
