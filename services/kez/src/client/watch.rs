//! Following somebody's chain: what comes on the feed, verified, in order, and nothing left out.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::{Message, Subscriber};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use kez_contract::event::sigchain_feed;
use kez_contract::sigchain::chain_subject;
use kez_contract::{Code, Document, Problem};
use kez_crypto::{Primary, chain::Unplaced};
use tokio::sync::watch;

use super::{Client, connection, no_right};
use crate::chains::{ChainFault, Verified};

/// New events of a chain. It waits while the server is away, and ends with what is wrong with the chain.
pub type Watch = BoxStream<'static, Result<Watched, ChainFault>>;

/// An event that continues the chain.
#[derive(Debug, Clone)]
pub struct Watched {
    pub primary: Primary,
    pub event: Document,
    /// The hash of the event.
    pub head: String,
}

/// The feed is at most once: should the last event be lost, no gap shows until the next one comes. So the chain is looked
/// into every so often.
const LOOK_EVERY: Duration = Duration::from_secs(300);

/// A fetch that does not show what the feed has announced may come from a replica that lags behind, so it is made again.
const LOOKS: usize = 5;

impl Client {
    /// The events of somebody's chain from number `since` on, as they come. When this returns, the subscription is in force.
    pub async fn watch(&self, primary: impl Into<Primary>, since: u64) -> Result<Watch, ChainFault> {
        let primary = primary.into();
        let subject = sigchain_feed(primary.system(), &primary.name());
        let refused = self.link.violation_of(&subject);
        let feed = self.nats.subscribe(subject).await;
        let feed = feed.map_err(|_| Problem::unavailable("the connection is closed"))?;
        let disturbances = self.link.disturbances();
        // The broker reads in order: whatever is stored after this answer is announced.
        let chain = self.chain(primary).await?;
        if refused.now_or_never().is_some() {
            return Err(no_right("feeds").into());
        }
        let ready =
            chain.events().iter().zip(chain.heads()).skip(usize::try_from(since).unwrap_or(usize::MAX));
        let ready = ready.map(|(event, head)| Watched { primary, event: event.clone(), head: head.clone() });
        let watcher = Watcher {
            ready: ready.collect(),
            chain: chain.without_events(),
            feed,
            disturbances,
            client: self.clone(),
        };
        let stream = futures_util::stream::unfold(Some(watcher), |watcher| async move {
            let mut watcher = watcher?;
            match watcher.next().await? {
                Ok(watched) => Some((Ok(watched), Some(watcher))),
                Err(fault) => Some((Err(fault), None)),
            }
        });
        Ok(stream.boxed())
    }
}

struct Watcher {
    client: Client,
    chain: Verified,
    ready: VecDeque<Watched>,
    feed: Subscriber,
    disturbances: watch::Receiver<u64>,
}

impl Watcher {
    /// The next event; none when the connection is closed for good.
    async fn next(&mut self) -> Option<Result<Watched, ChainFault>> {
        loop {
            if let Some(watched) = self.ready.pop_front() {
                return Some(Ok(watched));
            }
            let seen = tokio::select! {
                message = self.feed.next() => self.hear(&message?).await,
                disturbed = self.disturbances.changed() => {
                    disturbed.ok()?;
                    self.look(0).await
                }
                () = tokio::time::sleep(LOOK_EVERY) => self.look(0).await,
            };
            if let Err(fault) = seen {
                return Some(Err(fault));
            }
        }
    }

    /// Takes in what the feed says. What does not continue the chain is not believed: the chain is looked at instead.
    async fn hear(&mut self, message: &Message) -> Result<(), ChainFault> {
        let Some((event, seq)) = announced(message, &self.chain.primary()) else { return Ok(()) };
        if seq < self.chain.length() {
            return Ok(());
        }
        let mut continued = self.chain.clone();
        if continued.append(event).is_err() {
            return self.look(seq + 1).await;
        }
        self.client.connection.memory.check(&continued)?;
        self.take(continued);
        Ok(())
    }

    /// Fetches what is missing. The feed has announced a chain of `wanted` events, if any replica has it already.
    async fn look(&mut self, wanted: u64) -> Result<(), ChainFault> {
        let mut fruitless = 0;
        let mut failures = 0;
        loop {
            match self.client.extended(&self.chain).await {
                Ok(chain) => {
                    self.take(chain);
                    fruitless += 1;
                    if self.chain.length() >= wanted || fruitless == LOOKS {
                        return Ok(());
                    }
                    tokio::time::sleep(connection::delay(fruitless)).await;
                }
                Err(ChainFault::Asked(problem)) if problem.code != Code::NotFound => {
                    tokio::time::sleep(connection::delay(failures)).await;
                    failures += 1;
                }
                Err(fault) => return Err(fault),
            }
        }
    }

    fn take(&mut self, chain: Verified) {
        let primary = chain.primary();
        let begin = chain.heads().len() - chain.events().len();
        let new = chain.events().iter().zip(chain.heads().iter().skip(begin));
        self.ready.extend(new.map(|(event, head)| Watched {
            primary,
            event: event.clone(),
            head: head.clone(),
        }));
        self.chain = chain.without_events();
    }
}

/// An event that the stream itself has announced, and its number. None for anything else: anyone may steer a service's reply
/// to this subject, by naming it as the reply of a request, but not write the stream's headers.
fn announced(message: &Message, primary: &Primary) -> Option<(Document, u64)> {
    let headers = message.headers.as_ref()?;
    let subject = headers.get("Nats-Subject")?.as_str();
    if headers.get("Nats-Stream")?.as_str() != "KEZ_SIGCHAIN"
        || subject != chain_subject(primary.system(), &primary.name())
    {
        return None;
    }
    let seq = Unplaced::parse(&message.payload).ok()?.seq()?;
    Some((serde_json::from_slice(&message.payload).ok()?, seq))
}

#[cfg(test)]
mod tests {
    use async_nats::HeaderMap;

    use super::*;
    use crate::chains::tests::{alice, claiming};

    fn message(stream: &str, subject: &str, payload: &str) -> Message {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Stream", stream);
        headers.insert("Nats-Subject", subject);
        Message {
            subject: "kez.feed.sigchain.a.b".into(),
            reply: None,
            payload: payload.to_owned().into(),
            headers: Some(headers),
            status: None,
            description: None,
            length: 0,
        }
    }

    #[test]
    fn only_the_stream_is_heard() {
        let primary = Primary::from(alice().public());
        let chain = claiming(&["a", "b"]);
        let event = chain.events()[1].get();
        let subject = chain_subject("ed25519", &alice().public().to_hex());
        let heard = announced(&message("KEZ_SIGCHAIN", &subject, event), &primary).unwrap();
        assert_eq!((heard.0.get(), heard.1), (event, 1));
        let tampered = event.replace("github:b", "github:c");
        for other in [
            message("KEZ_INBOX_0", &subject, event),
            message("KEZ_SIGCHAIN", "kez.sigchain.ed25519.bb", event),
            message("KEZ_SIGCHAIN", &subject, &tampered),
            message("KEZ_SIGCHAIN", &subject, "{}"),
            Message { headers: None, ..message("KEZ_SIGCHAIN", &subject, event) },
        ] {
            assert!(announced(&other, &primary).is_none(), "{other:?}");
        }
    }
}
