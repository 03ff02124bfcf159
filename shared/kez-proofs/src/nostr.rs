//! `nostr:npub1…`: the profile, notes and application data of that key, as relays have them (NIP-01).

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use hyper::Uri;
use kez_contract::sigchain::Why;
use kez_crypto::NostrKey;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_websockets::{ClientBuilder, Error, Limits, Message};
use url::Url;

use crate::found::{Found, Unfound};
use crate::judge::Wanted;
use crate::reach::{LONGEST, Reach};

const PROFILE: u32 = 0;
const NOTE: u32 = 1;
const APPLICATION_DATA: u32 = 30078;

/// What is asked for. A repost, say, carries the words of somebody else.
const KINDS: [u32; 3] = [PROFILE, NOTE, APPLICATION_DATA];

/// So many events of one kind are asked for.
const EVENTS: usize = 100;

/// The name of the one subscription on a connection.
const SUBSCRIPTION: &str = "kez";

/// What all relays have. Each may hold back, none can make up: an event counts when its id and signature hold.
pub async fn look(reach: &Reach, wanted: &Wanted<'_>) -> Result<Found, Unfound> {
    let no_key = |_| Unfound::no_account("this is no npub", wanted.subject);
    let key = NostrKey::from_npub(wanted.subject.name()).map_err(no_key)?;
    let relays = &reach.places.nostr_relays;
    let place = relays.iter().map(Url::as_str).collect::<Vec<_>>().join(" ");
    let answers = join_all(relays.iter().map(|relay| ask(reach, relay, &key))).await;
    if answers.iter().all(Result::is_err) {
        let first = answers.into_iter().find_map(Result::err);
        return Err(first.unwrap_or_else(|| Unfound::no_answer("no relay is configured", &place)));
    }
    let mut latest: BTreeMap<String, (Event, &Url)> = BTreeMap::new();
    for (events, relay) in
        answers.into_iter().zip(relays).filter_map(|(events, relay)| Some((events.ok()?, relay)))
    {
        for event in events {
            let slot = event.slot();
            if latest.get(&slot).is_none_or(|(other, _)| event.replaces(other)) {
                latest.insert(slot, (event, relay));
            }
        }
    }
    let mut found = Found::at(&place);
    for (event, relay) in latest.into_values() {
        found.add(event.text(), &format!("{relay}#{}", event.id));
    }
    Ok(found)
}

#[derive(Debug, Deserialize)]
struct Event {
    id: String,
    pubkey: String,
    created_at: u64,
    kind: u32,
    tags: Vec<Vec<String>>,
    content: String,
    sig: String,
}

impl Event {
    /// Whether it is of the right kind, and the key has signed this very event (NIP-01, BIP-340).
    fn is_by(&self, key: &NostrKey) -> bool {
        let members =
            json!([0, self.pubkey, self.created_at, self.kind, self.tags, self.content]).to_string();
        let signature = HEXLOWER.decode(self.sig.as_bytes()).ok().and_then(|sig| sig.try_into().ok());
        KINDS.contains(&self.kind)
            && self.pubkey == HEXLOWER.encode(key.as_bytes())
            && self.id == HEXLOWER.encode(&Sha256::digest(&members))
            && signature.is_some_and(|signature| key.verify(members.as_bytes(), &signature).is_ok())
    }

    /// What newer events take the place of: the profile, and application data of the same name. Notes stand for ever.
    fn slot(&self) -> String {
        let named = |tag: &&Vec<String>| tag.first().is_some_and(|name| name == "d");
        match self.kind {
            PROFILE => "profile".to_owned(),
            APPLICATION_DATA => {
                let name = self.tags.iter().find(named).and_then(|tag| tag.get(1));
                format!("data {}", name.map_or("", String::as_str))
            }
            _ => self.id.clone(),
        }
    }

    fn replaces(&self, other: &Self) -> bool {
        (self.created_at, &other.id) > (other.created_at, &self.id)
    }

    /// What its author wrote: of a profile the part about them.
    fn text(&self) -> String {
        if self.kind != PROFILE {
            return self.content.clone();
        }
        let profile: Value = serde_json::from_str(&self.content).unwrap_or_default();
        profile["about"].as_str().unwrap_or_default().to_owned()
    }
}

/// The key's own events that one relay has.
async fn ask(reach: &Reach, relay: &Url, key: &NostrKey) -> Result<Vec<Event>, Unfound> {
    reach.in_time(relay.as_str(), converse(reach, relay, key)).await
}

async fn converse(reach: &Reach, relay: &Url, key: &NostrKey) -> Result<Vec<Event>, Unfound> {
    let broken = |_| Unfound::no_answer("the relay does not speak WebSocket", relay);
    let uri: Uri =
        relay.as_str().parse().map_err(|_| Unfound::no_answer("this is no URL of a relay", relay))?;
    let wire = reach.open(relay).await?;
    let client = ClientBuilder::from_uri(uri).limits(Limits::default().max_payload_len(Some(LONGEST)));
    let (mut socket, _) = client.connect_on(wire).await.map_err(broken)?;
    let author = HEXLOWER.encode(key.as_bytes());
    let [profile, notes, data] =
        KINDS.map(|kind| json!({ "authors": [author], "kinds": [kind], "limit": EVENTS }));
    let request = json!(["REQ", SUBSCRIPTION, profile, notes, data]);
    socket.send(Message::text(request.to_string())).await.map_err(broken)?;
    let mut said = Said { events: Vec::new(), shown: 0, bytes: 0 };
    while let Some(message) = socket.next().await {
        let message = message.map_err(|error| unread(&error, relay))?;
        if said.take(&message, key, relay)? {
            // Whether the relay hears that it is over does not matter.
            let _ = socket.send(Message::text(json!(["CLOSE", SUBSCRIPTION]).to_string())).await;
            return Ok(said.events);
        }
    }
    Err(Unfound::no_answer("the relay broke off", relay))
}

/// What a relay has said so far.
struct Said {
    /// The key's own.
    events: Vec<Event>,
    /// How many events came, whosever they are.
    shown: usize,
    bytes: usize,
}

impl Said {
    /// Takes one message; true when it was the last one.
    fn take(&mut self, message: &Message, key: &NostrKey, relay: &Url) -> Result<bool, Unfound> {
        self.bytes += message.as_payload().len();
        if self.bytes > LONGEST {
            return Err(too_large(relay));
        }
        let text = message.as_text().unwrap_or_default();
        let Ok(Value::Array(mut members)) = serde_json::from_str(text) else { return Ok(false) };
        if members.get(1).is_none_or(|subscription| subscription != SUBSCRIPTION) {
            return Ok(false);
        }
        match members[0].as_str() {
            Some("EVENT") => {
                let event = members.get_mut(2).map(Value::take).unwrap_or_default();
                let event = serde_json::from_value(event).ok().filter(|event: &Event| event.is_by(key));
                self.events.extend(event);
                self.shown += 1;
                // More than was asked for is work that a relay orders.
                Ok(self.shown > KINDS.len() * EVENTS)
            }
            Some("EOSE") => Ok(true),
            Some("CLOSED") => Err(closed(&members, relay)),
            _ => Ok(false),
        }
    }
}

/// The relay's own word for why it does not answer (NIP-01).
fn closed(members: &[Value], relay: &Url) -> Unfound {
    let reason = members.get(2).and_then(Value::as_str).unwrap_or_default();
    if reason.starts_with("rate-limited:") {
        Unfound::new(Why::RateLimited, "the relay takes no more requests for now", relay)
    } else {
        Unfound::no_answer("the relay refuses to answer", relay)
    }
}

fn unread(error: &Error, relay: &Url) -> Unfound {
    match error {
        Error::PayloadTooLong { .. } => too_large(relay),
        _ => Unfound::no_answer("the relay broke off", relay),
    }
}

fn too_large(relay: &Url) -> Unfound {
    Unfound::new(Why::TooLarge, "the relay's answer is larger than 1 MiB", relay)
}
