//! Following one's mailbox: what lies there, then what comes, in order and exactly once.

use std::time::Duration;

use async_nats::{HeaderMap, Message, Subscriber};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kez_contract::event::LIVE;
use kez_contract::inbox::{MAX_PAGE, Page, Stored, mailbox_subject};
use kez_contract::{Code, Document, Problem};
use kez_crypto::{Seen, Timestamp};
use tokio::sync::watch;

use super::order::Order;
use super::{Client, connection};
use crate::mail::Received;

/// Messages of a mailbox, opened or refused. It never ends by itself, and waits while the server is away.
pub type Follow = BoxStream<'static, Received>;

/// The live feed is at most once: should the last message of a burst be lost, no gap shows until the next one comes.
/// So the mailbox is looked into every so often.
const LOOK_EVERY: Duration = Duration::from_secs(300);

impl Client {
    /// Everything after sequence `since` (0: from the oldest), as it was stored: in order, and no message id twice.
    /// When this returns, the live subscription is in force.
    pub async fn follow(&self, since: u64) -> Result<Follow, Problem> {
        let live = self
            .nats
            .subscribe(LIVE.subject(&self.primary))
            .await
            .map_err(|_| Problem::unavailable("the connection is closed"))?;
        let mut follower = Follower {
            live,
            disturbances: self.link.disturbances(),
            order: Order::after(since),
            seen: Seen::new(),
            client: self.clone(),
        };
        // The broker reads in order: whatever is stored after this answer comes live.
        match self.page(since, MAX_PAGE).await {
            Ok(page) => follower.take_in(page),
            Err(problem) if problem.code == Code::Unavailable => {}
            Err(problem) => return Err(problem),
        }
        let stream = futures_util::stream::unfold(follower, |mut follower| async move {
            let received = follower.next().await?;
            Some((received, follower))
        });
        Ok(stream.boxed())
    }

    /// Why followed mail stands still, while it does.
    pub fn hindrance(&self) -> watch::Receiver<Option<Problem>> {
        self.devices.hindrance()
    }
}

struct Follower {
    client: Client,
    live: Subscriber,
    disturbances: watch::Receiver<u64>,
    order: Order<Stored>,
    seen: Seen,
}

impl Follower {
    async fn next(&mut self) -> Option<Received> {
        loop {
            while let Some((_, stored)) = self.order.take() {
                if let Some(received) = self.open(&stored).await {
                    return Some(received);
                }
            }
            if self.order.look().is_some() {
                self.fetch().await;
                continue;
            }
            tokio::select! {
                message = self.live.next() => self.hear(&message?),
                disturbed = self.disturbances.changed() => {
                    disturbed.ok()?;
                    self.order.disturb();
                }
                () = tokio::time::sleep(LOOK_EVERY) => self.order.disturb(),
            }
        }
    }

    /// A message that is new; one whose id came before, in another envelope, is dropped.
    async fn open(&mut self, stored: &Stored) -> Option<Received> {
        let mut failures = 0;
        let received = loop {
            match self.client.open(stored).await {
                Ok(received) => break received,
                Err(problem) => {
                    self.client.devices.hinder(Some(&problem));
                    tokio::time::sleep(connection::delay(failures)).await;
                }
            }
            failures += 1;
        };
        self.client.devices.hinder(None);
        match &received.opened {
            Ok(message) if !self.seen.first_time(&message.id) => None,
            _ => Some(received),
        }
    }

    async fn fetch(&mut self) {
        let mut failures = 0;
        while let Some(look) = self.order.look() {
            if look.again > 0 {
                tokio::time::sleep(connection::delay(look.again as usize)).await;
            }
            match self.client.page(look.since, MAX_PAGE).await {
                Ok(page) => {
                    self.take_in(page);
                    return;
                }
                Err(problem) => {
                    let asked = Duration::from_secs(problem.retry_after.unwrap_or_default().min(60));
                    tokio::time::sleep(connection::delay(failures).max(asked)).await;
                    failures += 1;
                }
            }
        }
    }

    fn take_in(&mut self, page: Page) {
        let messages = page.messages.into_iter().map(|stored| (stored.seq, stored)).collect();
        self.order.page(messages, page.more);
    }

    fn hear(&mut self, message: &Message) {
        let now = self.client.now();
        if let Some(live) = Live::read(message, &self.client.primary, now) {
            self.order.live(live.stored.seq, live.previous, live.stored);
        }
    }
}

/// A message that the stream itself has republished.
struct Live {
    stored: Stored,
    previous: u64,
}

impl Live {
    /// None for anything that the stream did not send: anyone may steer a service's reply to this subject, by naming it
    /// as the reply of a request, but not write the stream's headers.
    fn read(message: &Message, primary: &str, now: Timestamp) -> Option<Self> {
        let headers = message.headers.as_ref()?;
        let from_the_stream = text(headers, "Nats-Stream")?.starts_with("KEZ_INBOX_")
            && text(headers, "Nats-Subject")? == mailbox_subject(primary);
        if !from_the_stream {
            return None;
        }
        let envelope: Document = serde_json::from_slice(&message.payload).ok()?;
        let received_at = text(headers, "Nats-Time-Stamp").and_then(whole_seconds).unwrap_or(now);
        Some(Self {
            stored: Stored {
                seq: text(headers, "Nats-Sequence")?.parse().ok()?,
                received_at: received_at.to_string(),
                envelope,
            },
            previous: text(headers, "Nats-Last-Sequence")?.parse().ok()?,
        })
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(async_nats::HeaderValue::as_str)
}

/// The stream's own time, without its fraction.
fn whole_seconds(time: &str) -> Option<Timestamp> {
    let seconds = time.get(..19)?;
    Timestamp::parse(&format!("{seconds}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIMARY: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn message(headers: &[(&str, &str)], payload: &'static str) -> Message {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, *value);
        }
        Message {
            subject: LIVE.subject(PRIMARY).into(),
            reply: None,
            payload: payload.into(),
            headers: Some(map),
            status: None,
            description: None,
            length: 0,
        }
    }

    fn from_the_stream() -> [(&'static str, String); 5] {
        [
            ("Nats-Stream", "KEZ_INBOX_0".to_owned()),
            ("Nats-Subject", mailbox_subject(PRIMARY)),
            ("Nats-Sequence", "9".to_owned()),
            ("Nats-Last-Sequence", "7".to_owned()),
            ("Nats-Time-Stamp", "2027-01-15T08:00:00.123456789Z".to_owned()),
        ]
    }

    fn read(headers: &[(&'static str, String)], payload: &'static str) -> Option<Live> {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Live::read(&message(&headers, payload), PRIMARY, Timestamp::from_unix(0))
    }

    #[test]
    fn the_stream_is_heard() {
        let live = read(&from_the_stream(), "{}").unwrap();
        assert_eq!((live.stored.seq, live.previous), (9, 7));
        assert_eq!(live.stored.received_at, "2027-01-15T08:00:00Z");
    }

    #[test]
    fn nobody_else_is_heard() {
        for (at, forged) in [
            (0, "KEZ_CURSOR".to_owned()),
            (1, mailbox_subject(&"b".repeat(64))),
            (1, LIVE.subject(PRIMARY)),
            (2, "nine".to_owned()),
            (3, "-1".to_owned()),
        ] {
            let mut headers = from_the_stream();
            headers[at].1 = forged;
            assert!(read(&headers, "{}").is_none(), "{headers:?}");
        }
        for missing in 0..4 {
            let mut headers = from_the_stream().to_vec();
            headers.remove(missing);
            assert!(read(&headers, "{}").is_none(), "{headers:?}");
        }
        assert!(read(&from_the_stream(), "not JSON").is_none());
        assert!(
            Live::read(&Message { headers: None, ..message(&[], "{}") }, PRIMARY, Timestamp::from_unix(0))
                .is_none()
        );
    }
}
