//! The only file that knows how events lie in JetStream: one stream, one subject a chain, never changed.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use async_nats::{Client, Message};
use bytes::Bytes;
use kez_contract::Document;
use kez_contract::sigchain::{MAX_PAGE, MAX_PAGE_BYTES, chain_owner, chain_subject};
use kez_crypto::Primary;
use kez_service::Fault;
use kez_service::batch::{Entry, GroupCommit, Refused};
use kez_service::streams::{self, direct_get, header, sequence};
use serde_json::json;

const STREAM: &str = "KEZ_SIGCHAIN";
/// Batches that are written at once.
const BATCHES_IN_FLIGHT: u32 = 2;

#[derive(Clone)]
pub struct Store {
    nats: Client,
    commit: GroupCommit,
}

/// An event as the stream holds it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The stream's own sequence, which it shares with all other chains.
    pub sequence: u64,
    pub event: Bytes,
}

/// Events in order, and whether there are more.
pub struct Part {
    pub events: Vec<Stored>,
    pub more: bool,
}

/// What came next in the whole stream.
pub struct Next {
    /// Whose chains have grown, in order, and up to which sequence. What is nobody's is not there.
    pub grown: BTreeMap<Primary, u64>,
    /// The sequence of the last of them; the one asked for when there is nothing after it.
    pub last: u64,
}

impl Store {
    pub async fn open(nats: &Client, replicas: u8) -> Result<Self> {
        let mut config = streams::declared("sigchain", STREAM)?;
        config["num_replicas"] = replicas.into();
        streams::prepare(nats, &config).await?;
        Ok(Self::existing(nats))
    }

    /// The stream as a service has made it.
    pub fn existing(nats: &Client) -> Self {
        Self { nats: nats.clone(), commit: GroupCommit::start(nats.clone(), BATCHES_IN_FLIGHT) }
    }

    /// Stores the event after the one at the stream's sequence `after` (0: as the first of its chain), and answers its
    /// own sequence once it is on disk. Of those who name the same predecessor one is stored.
    pub async fn put(&self, primary: &Primary, after: u64, event: Bytes) -> Result<u64, Refused> {
        let entry = Entry {
            subject: subject(primary),
            message_id: None,
            expected_last: Some(after),
            mark: None,
            payload: event,
        };
        Ok(self.commit.store(entry).await?.sequence)
    }

    /// The events of a chain after the stream's sequence `after`.
    pub async fn events_after(&self, primary: &Primary, after: u64, limit: u32) -> Result<Part, Fault> {
        let request = json!({
            "seq": after.saturating_add(1), "next_by_subj": subject(primary),
            "batch": limit, "max_bytes": MAX_PAGE_BYTES,
        });
        let read = direct_get(&self.nats, STREAM, &request).await?;
        let events = read.messages.iter().map(stored).collect::<Result<Vec<_>>>()?;
        Ok(Part { events, more: read.pending > 0 })
    }

    /// The last event of a chain.
    pub async fn last(&self, primary: &Primary) -> Result<Option<Stored>, Fault> {
        let request = json!({ "multi_last": [subject(primary)], "batch": 1 });
        let read = direct_get(&self.nats, STREAM, &request).await?;
        Ok(read.messages.last().map(stored).transpose()?)
    }

    /// The event at that sequence of the stream.
    pub async fn event_at(&self, sequence: u64) -> Result<Option<Document>, Fault> {
        let request = json!({ "seq": sequence, "next_by_subj": ">", "batch": 1 });
        let read = direct_get(&self.nats, STREAM, &request).await?;
        let found = read.messages.first().map(stored).transpose()?;
        found.filter(|found| found.sequence == sequence).map(|found| document(&found.event)).transpose()
    }

    /// What was stored in the whole stream after a sequence.
    pub async fn next(&self, after: u64) -> Result<Next, Fault> {
        let request = json!({ "seq": after.saturating_add(1), "next_by_subj": ">", "batch": MAX_PAGE, "max_bytes": MAX_PAGE_BYTES });
        let read = direct_get(&self.nats, STREAM, &request).await?;
        let last = read.messages.last().map(sequence).transpose()?.unwrap_or(after);
        let mut grown = BTreeMap::new();
        for message in &read.messages {
            if let Some(primary) = header(message, "Nats-Subject").and_then(owner) {
                grown.insert(primary, sequence(message)?);
            }
        }
        Ok(Next { grown, last })
    }
}

/// An event's text as replies carry it.
pub fn document(event: &[u8]) -> Result<Document, Fault> {
    let text = String::from_utf8(event.to_vec()).context("a stored event is not text")?;
    Ok(serde_json::value::RawValue::from_string(text).context("a stored event is not JSON")?)
}

/// Whose chain is stored or announced under that subject.
pub fn owner(subject: &str) -> Option<Primary> {
    Primary::parse(&chain_owner(subject)?).ok()
}

fn subject(primary: &Primary) -> String {
    chain_subject(primary.system(), &primary.name())
}

fn stored(message: &Message) -> Result<Stored> {
    Ok(Stored { sequence: sequence(message)?, event: message.payload.clone() })
}
