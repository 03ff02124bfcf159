//! What the feeds say of people and their devices: who is not to be believed from memory, and who is to be looked at.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use async_nats::{Client, Message};
use futures_util::StreamExt;
use kez_contract::event::{REGISTRY_FEED, RegistryFact, SIGCHAIN_FEED_ALL};
use kez_contract::sigchain::chain_owner;
use kez_crypto::chain::{Op, parse_event};
use kez_crypto::{Primary, PublicKey};
use kez_service::streams;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::devices::Devices;
use crate::farewell::Farewell;
use crate::people::People;

/// How often it is looked whether the connection to the broker is another one.
const LOOK: Duration = Duration::from_secs(1);
/// After so many of these, everybody is looked at, whatever the feeds have said.
const LOOKS_UNTIL_ALL: u64 = 5 * 60;

/// Starts to follow both feeds; ends with the last clone.
pub async fn follow(
    nats: &Client,
    people: People,
    devices: Devices,
    farewell: Farewell,
) -> Result<Arc<JoinSet<()>>> {
    let mut facts = nats.subscribe(REGISTRY_FEED.pattern()).await?;
    let mut events = nats.subscribe(SIGCHAIN_FEED_ALL).await?;
    let mut follower = Follower { people, devices, farewell, last: None, looks: JoinSet::new() };
    let nats = nats.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(follower.farewell.clone().look_at_everybody());
    tasks.spawn(async move {
        let connects = || nats.statistics().connects.load(Ordering::Relaxed);
        let (mut connected, mut look, mut looked) = (connects(), interval(LOOK), 0);
        look.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                Some(fact) = facts.next() => follower.fact(&fact),
                Some(event) = events.next() => follower.event(&event),
                _ = look.tick() => {
                    // At the first look, too: nobody knows what happened before it.
                    if looked % LOOKS_UNTIL_ALL == 0 || connects() != connected {
                        connected = connects();
                        follower.farewell.doubt_all();
                    }
                    looked += 1;
                }
                else => return,
            }
        }
    });
    Ok(Arc::new(tasks))
}

struct Follower {
    people: People,
    devices: Devices,
    farewell: Farewell,
    /// The stream's sequence of the last event: the feed is of the whole stream, so the next one has the next.
    last: Option<u64>,
    /// Ends with the follower.
    looks: JoinSet<()>,
}

impl Follower {
    /// The registry has said something of somebody.
    fn fact(&mut self, fact: &Message) {
        let Some(Ok(person)) = REGISTRY_FEED.owner(&fact.subject).map(PublicKey::from_hex) else { return };
        // Whatever it says, what we knew is older.
        self.people.doubt(person);
        if let Ok(RegistryFact::Rotated { .. }) = serde_json::from_slice(&fact.payload) {
            self.look(self.farewell.clone().look_at_primary(person));
        }
    }

    /// A sigchain has grown.
    fn event(&mut self, message: &Message) {
        let sequence = streams::sequence(message).ok();
        // Of what was before the first one nothing is known.
        if self.last.is_none_or(|last| sequence != Some(last + 1)) {
            self.farewell.doubt_all();
        }
        self.last = sequence;
        // Nobody signs in with a key of another system.
        let owner = chain_owner(&message.subject).and_then(|owner| PublicKey::parse(&owner).ok());
        let Some(primary) = owner else { return };
        self.devices.doubt(primary);
        match parse_event(&message.payload) {
            Ok(event) if event.primary == Primary::from(primary) => {
                if let Op::Revoke { subject } = &event.op
                    && let Ok(device) = PublicKey::parse(subject.as_str())
                {
                    self.look(self.farewell.clone().look_at_device(primary, device));
                }
            }
            _ => tracing::error!("the feed of sigchains carries something that is no event of its chain"),
        }
    }

    fn look(&mut self, look: impl Future<Output = ()> + Send + 'static) {
        while self.looks.try_join_next().is_some() {}
        self.looks.spawn(look);
    }
}
