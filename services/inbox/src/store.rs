//! The only file that knows how mail and cursors lie in JetStream.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use async_nats::{Client, Message};
use bytes::Bytes;
use kez_contract::inbox::{
    MAX_PAGE_BYTES, Page, SILENT_HEADER, Stored, cursor_device, cursor_subject, mailbox_subject,
};
use kez_contract::{Code, Document};
use kez_service::Fault;
use kez_service::batch::{Entry, GroupCommit, Refused};
use kez_service::streams::{direct_get, header, sequence};
use moka::sync::Cache;
use serde_json::{Value, json};

use crate::config::Settings;
use crate::rules::{self, Cursor};
use crate::streams;

/// Senders that retry find what this replica stored for them here, so that they do not spoil others' batches.
const REMEMBERED_IDS: u64 = 20_000;
/// For so long, mail for a mailbox that was full goes in batches of its own, for the same reason.
const FULL_FOR: Duration = Duration::from_secs(1);
/// A device is forgotten when its cursor is older than mail can be; reading renews it this often.
const RENEW_CURSOR: Duration = Duration::from_secs(24 * 3600);
const REMEMBERED_DEVICES: u64 = 100_000;
/// Devices of one person that are looked at.
const MAX_DEVICES: u32 = 1000;
/// Tries of a cursor that two replicas move at once.
const CURSOR_TRIES: usize = 8;

#[derive(Clone)]
pub struct Store {
    nats: Client,
    mailboxes: Arc<[Mailboxes]>,
    cursors: GroupCommit,
    stored: Cache<String, u64>,
    full: Cache<String, ()>,
    devices: Cache<String, ()>,
}

/// A sealed message that is to be stored.
pub struct Mail {
    pub transport_id: String,
    pub sealed: Bytes,
    /// It wakes nobody.
    pub silent: bool,
}

/// One stream of mailboxes.
struct Mailboxes {
    stream: String,
    commit: GroupCommit,
    /// Of mail that is likely to be refused.
    doubtful: GroupCommit,
}

impl Store {
    pub async fn open(nats: &Client, settings: &Settings) -> Result<Self> {
        streams::prepare(nats, settings).await?;
        let in_flight = u32::from(settings.batches_in_flight);
        let mailboxes = (0..settings.inbox_streams)
            .map(|n| Mailboxes {
                stream: streams::mailboxes(n),
                commit: GroupCommit::start(nats.clone(), in_flight),
                doubtful: GroupCommit::start(nats.clone(), 1),
            })
            .collect();
        Ok(Self {
            nats: nats.clone(),
            mailboxes,
            cursors: GroupCommit::start(nats.clone(), in_flight),
            stored: Cache::new(REMEMBERED_IDS),
            full: Cache::builder().max_capacity(REMEMBERED_IDS).time_to_live(FULL_FOR).build(),
            devices: Cache::builder().max_capacity(REMEMBERED_DEVICES).time_to_live(RENEW_CURSOR).build(),
        })
    }

    /// Stores a sealed message and answers its sequence, once it is on disk.
    pub async fn put(&self, primary: &str, mail: Mail) -> Result<u64, Fault> {
        let message_id = format!("{primary}:{}", mail.transport_id);
        if let Some(sequence) = self.stored.get(&message_id) {
            return Ok(sequence);
        }
        let mailboxes = self.mailbox(primary)?;
        // It may have room again, or hold this very message.
        let commit = if self.full.contains_key(primary) { &mailboxes.doubtful } else { &mailboxes.commit };
        let entry = Entry {
            subject: mailbox_subject(primary),
            message_id: Some(message_id.clone()),
            expected_last: None,
            mark: mail.silent.then_some((SILENT_HEADER, "1")),
            payload: mail.sealed,
        };
        match commit.store(entry).await {
            Ok(stored) => {
                self.stored.insert(message_id, stored.sequence);
                Ok(stored.sequence)
            }
            Err(Refused::Full) => {
                self.full.insert(primary.to_owned(), ());
                Err(mailbox_full())
            }
            Err(refused) => Err(unconfirmed(&refused)),
        }
    }

    /// The messages of a mailbox after `since`, in order.
    pub async fn page(&self, primary: &str, since: u64, limit: u32) -> Result<Page, Fault> {
        let stream = &self.mailbox(primary)?.stream;
        let request = json!({
            "seq": since.saturating_add(1), "next_by_subj": mailbox_subject(primary),
            "batch": limit, "max_bytes": MAX_PAGE_BYTES,
        });
        let read = direct_get(&self.nats, stream, &request).await?;
        let messages = read.messages.iter().map(stored).collect::<Result<Vec<_>>>()?;
        let next = messages.last().map_or(since, |message| message.seq);
        Ok(Page { messages, next, more: read.pending > 0 })
    }

    /// The sequence of the newest message in a mailbox; 0 while there is none.
    pub async fn newest(&self, primary: &str) -> Result<u64, Fault> {
        let request = json!({ "multi_last": [mailbox_subject(primary)], "batch": 1 });
        let read = direct_get(&self.nats, &self.mailbox(primary)?.stream, &request).await?;
        Ok(read.messages.last().map(sequence).transpose()?.unwrap_or(0))
    }

    /// Deletes the messages of a mailbox up to and including a sequence.
    pub async fn purge(&self, primary: &str, up_to: u64) -> Result<(), Fault> {
        let stream = &self.mailbox(primary)?.stream;
        let request = json!({ "filter": mailbox_subject(primary), "seq": up_to.saturating_add(1) });
        let reply = self
            .nats
            .request(format!("$JS.API.STREAM.PURGE.{stream}"), serde_json::to_vec(&request)?.into())
            .await
            .map_err(|_| store_gone())?;
        let reply: Value = serde_json::from_slice(&reply.payload)?;
        match reply.get("error") {
            Some(error) => Err(anyhow!("purge refused: {error}").into()),
            None => Ok(()),
        }
    }

    /// Makes sure that a device which reads has a cursor, so that nothing is purged before it has it.
    pub async fn remember_device(&self, primary: &str, device: &str) -> Result<(), Fault> {
        let key = cursor_subject(primary, device);
        if !self.devices.contains_key(&key) {
            // Should somebody else move it in between, then it is there.
            self.move_cursor(&key, 0).await?;
            self.devices.insert(key, ());
        }
        Ok(())
    }

    /// Moves a device's cursor to `seq`, never backwards, and answers where it stands.
    pub async fn advance_cursor(&self, primary: &str, device: &str, seq: u64) -> Result<u64, Fault> {
        let subject = cursor_subject(primary, device);
        for _ in 0..CURSOR_TRIES {
            if let Some(stands) = self.move_cursor(&subject, seq).await? {
                return Ok(stands);
            }
        }
        Err(Fault::unavailable("the cursor is being moved by others; try again"))
    }

    /// The cursors of all devices of a person, each with the device.
    pub async fn cursors(&self, primary: &str) -> Result<Vec<(String, Cursor)>, Fault> {
        let request = json!({ "multi_last": [cursor_subject(primary, "*")], "batch": MAX_DEVICES });
        let read = direct_get(&self.nats, streams::CURSORS, &request).await?;
        Ok(read.messages.iter().map(cursor).collect::<Result<_>>()?)
    }

    /// Tries it once, and answers nothing when another call has moved it in between.
    async fn move_cursor(&self, subject: &str, seq: u64) -> Result<Option<u64>, Fault> {
        let stands = self.last_cursor(subject).await?;
        let cursor = Cursor { seq: stands.map_or(seq, |(_, cursor)| cursor.seq.max(seq)) };
        let entry = Entry {
            subject: subject.to_owned(),
            message_id: None,
            expected_last: Some(stands.map_or(0, |(sequence, _)| sequence)),
            mark: None,
            payload: serde_json::to_vec(&cursor)?.into(),
        };
        match self.cursors.store(entry).await {
            Ok(_) => Ok(Some(cursor.seq)),
            Err(Refused::Conflict) => Ok(None),
            Err(refused) => Err(unconfirmed(&refused)),
        }
    }

    async fn last_cursor(&self, subject: &str) -> Result<Option<(u64, Cursor)>, Fault> {
        let request = json!({ "multi_last": [subject], "batch": 1 });
        let read = direct_get(&self.nats, streams::CURSORS, &request).await?;
        let Some(message) = read.messages.last() else { return Ok(None) };
        Ok(Some((sequence(message)?, serde_json::from_slice(&message.payload)?)))
    }

    fn mailbox(&self, primary: &str) -> Result<&Mailboxes, Fault> {
        let streams = u16::try_from(self.mailboxes.len()).unwrap_or(256);
        let shard = rules::shard(primary).context("a primary is 64 hex digits")?;
        let stream = self.mailboxes.get(usize::from(rules::stream_of(shard, streams)));
        Ok(stream.context("every shard has a stream")?)
    }
}

fn cursor(message: &Message) -> Result<(String, Cursor)> {
    let device =
        header(message, "Nats-Subject").and_then(cursor_device).context("a cursor is of no device")?;
    Ok((device.to_owned(), serde_json::from_slice(&message.payload)?))
}

fn stored(message: &Message) -> Result<Stored> {
    let text = String::from_utf8(message.payload.to_vec()).context("a stored envelope is not text")?;
    Ok(Stored {
        seq: sequence(message)?,
        received_at: whole_seconds(
            header(message, "Nats-Time-Stamp").context("a stored message has no time")?,
        ),
        envelope: Document::from(serde_json::value::RawValue::from_string(text)?),
    })
}

/// `2026-05-25T03:00:00.123456789Z` without its fraction.
fn whole_seconds(time: &str) -> String {
    format!("{}Z", time.get(..19).unwrap_or(time))
}

fn mailbox_full() -> Fault {
    Fault::new(Code::MailboxFull, "the recipient must read and acknowledge mail before more can come")
}

fn store_gone() -> Fault {
    Fault::unavailable("the mail store does not answer")
}

fn unconfirmed(refused: &Refused) -> Fault {
    tracing::warn!(reason = %refused, "nothing was stored");
    Fault::unavailable("the mail store did not confirm; send the same envelope again")
}
