//! Group commit: sends that arrive together are stored together, in one atomic batch with one flush to disk.
//!
//! A stream that flushes every write (`sync_interval: always`) stores one publish a flush. An atomic batch (ADR-50) is
//! flushed once, however many messages it holds. So while one batch is being written the next one gathers, and when
//! nothing is being written a message goes at once. Each sender gets its own sequence, and only when it is on disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// A stream takes batches of this size fastest; the server would take 1,000 messages.
const MAX_MESSAGES: usize = 128;
/// A batch is held in the server's memory until it is committed.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Up to so many are published side by side instead: a stream without replicas stages each batch on disk, with more
/// flushes than these few need.
const FEW: usize = 8;
/// So long after a batch its senders may come back with their next message, to be in one batch again.
const RETURN: Duration = Duration::from_millis(2);
/// Messages that wait for their batch; senders beyond that wait to hand theirs in.
const QUEUE: usize = 8 * 1024;
/// After this the outcome is unknown: the sender is told to try again under the same message id.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Error codes of JetStream that this module tells apart.
mod code {
    pub const WRONG_LAST_SEQUENCE: u64 = 10071;
    pub const MAXIMUM_PER_SUBJECT: u64 = 10077;
    pub const CONFLICT_IN_FLIGHT: u64 = 10164;
    pub const DUPLICATE_IN_BATCH: u64 = 10201;

    /// Whether one message of a batch is at fault, so that the others can be stored without it.
    pub fn is_about_one(code: u64) -> bool {
        matches!(code, WRONG_LAST_SEQUENCE | MAXIMUM_PER_SUBJECT | CONFLICT_IN_FLIGHT | DUPLICATE_IN_BATCH)
    }
}

/// What is to be stored.
#[derive(Debug, Clone)]
pub struct Entry {
    pub subject: String,
    /// `Nats-Msg-Id`: the stream stores one message under it, however often it is sent.
    pub message_id: Option<String>,
    /// `Nats-Expected-Last-Subject-Sequence`: store only if the subject's last message has this sequence.
    pub expected_last: Option<u64>,
    /// A header of ours that is stored with it, and its value.
    pub mark: Option<(&'static str, &'static str)>,
    pub payload: Bytes,
}

/// Stored and flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub sequence: u64,
    /// It had been stored before; `sequence` is that of the first time.
    pub duplicate: bool,
}

/// Why nothing was stored, or why nobody knows whether it was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    #[error("the subject holds as many messages as it may")]
    Full,
    #[error("the subject has moved on")]
    Conflict,
    #[error("the stream did not confirm: {0}")]
    Unconfirmed(String),
}

/// Hands entries for one stream to the task that stores them in batches.
#[derive(Clone)]
pub struct GroupCommit {
    queue: mpsc::Sender<Pending>,
}

struct Pending {
    entry: Entry,
    answer: oneshot::Sender<Result<Stored, Refused>>,
}

impl GroupCommit {
    /// Starts the task, which ends when the last clone of the returned value is gone. At most `in_flight` batches are
    /// written at once.
    pub fn start(nats: Client, in_flight: u32) -> Self {
        let (queue, entries) = mpsc::channel(QUEUE);
        tokio::spawn(gather(Writer::new(nats), entries, in_flight));
        Self { queue }
    }

    /// Stores one entry, together with whatever else arrives in time.
    pub async fn store(&self, entry: Entry) -> Result<Stored, Refused> {
        let gone = || Refused::Unconfirmed("shutting down".to_owned());
        let (answer, stored) = oneshot::channel();
        self.queue.send(Pending { entry, answer }).await.map_err(|_| gone())?;
        stored.await.map_err(|_| gone())?
    }
}

/// Makes a batch of what has come in. One that is not full waits, and grows, while another is being written.
async fn gather(writer: Writer, mut entries: mpsc::Receiver<Pending>, in_flight: u32) {
    let writing = Arc::new(Semaphore::new(in_flight as usize));
    let mut previous = 0;
    while let Some(first) = entries.recv().await {
        let mut batch = Batch::of(first);
        let permit = loop {
            while let Some(next) = batch.room().then(|| entries.try_recv().ok()).flatten() {
                batch.push(next);
            }
            if !batch.room() {
                break writing.clone().acquire_owned().await;
            }
            tokio::select! {
                biased;
                alone = writing.clone().acquire_many_owned(in_flight) => break alone,
                Some(next) = entries.recv() => batch.push(next),
            }
        };
        let Ok(permit) = permit else { return };
        if previous > FEW {
            // Only right after a batch, for those who were in it: when little is going on, nobody waits.
            let until = writer.last_written() + RETURN;
            let back = batch.entries.len() + previous;
            while batch.room() && batch.entries.len() < back {
                let Ok(Some(next)) = timeout_at(until, entries.recv()).await else { break };
                batch.push(next);
            }
        }
        previous = batch.entries.len();
        let writer = writer.clone();
        tokio::spawn(async move {
            writer.write(batch.entries).await;
            writer.note_written();
            drop(permit);
        });
    }
}

struct Batch {
    entries: Vec<Pending>,
    bytes: usize,
}

impl Batch {
    fn of(first: Pending) -> Self {
        Self { bytes: first.entry.payload.len(), entries: vec![first] }
    }

    fn push(&mut self, next: Pending) {
        self.bytes += next.entry.payload.len();
        self.entries.push(next);
    }

    fn room(&self) -> bool {
        self.entries.len() < MAX_MESSAGES && self.bytes < MAX_BYTES
    }
}

#[derive(Clone)]
struct Writer {
    nats: Client,
    /// Distinguishes this process's batches from everyone else's.
    prefix: Arc<str>,
    batches: Arc<AtomicU64>,
    last_written: Arc<Mutex<Instant>>,
}

impl Writer {
    fn new(nats: Client) -> Self {
        let prefix = crate::random::bytes::<8>().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let last_written = Arc::new(Mutex::new(Instant::now()));
        Self { nats, prefix: prefix.into(), batches: Arc::default(), last_written }
    }

    fn last_written(&self) -> Instant {
        *self.last_written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_written(&self) {
        *self.last_written.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Stores a batch and answers each of its senders. A refused batch is halved until only the offender is refused.
    fn write(&self, mut batch: Vec<Pending>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if batch.len() <= FEW {
                join_all(batch.into_iter().map(|pending| self.write_one(pending))).await;
                return;
            }
            match self.store_all(&batch).await {
                Ok(last) => {
                    let first = last + 1 - batch.len() as u64;
                    for (sequence, pending) in (first..).zip(batch) {
                        let _ = pending.answer.send(Ok(Stored { sequence, duplicate: false }));
                    }
                }
                Err(Failure::Refused(error)) if code::is_about_one(error.err_code) => {
                    let second = batch.split_off(batch.len() / 2);
                    self.write(batch).await;
                    self.write(second).await;
                }
                Err(failure) => {
                    let refused = Refused::Unconfirmed(failure.to_string());
                    for pending in batch {
                        let _ = pending.answer.send(Err(refused.clone()));
                    }
                }
            }
        })
    }

    async fn write_one(&self, pending: Pending) {
        let result = self.store_one(&pending.entry).await;
        // Whoever asked may have gone.
        let _ = pending.answer.send(result);
    }

    async fn store_one(&self, entry: &Entry) -> Result<Stored, Refused> {
        match self.request(entry, HeaderMap::new()).await {
            Ok(ack) => Ok(Stored { sequence: ack.seq, duplicate: ack.duplicate }),
            Err(Failure::Refused(error)) if error.err_code == code::MAXIMUM_PER_SUBJECT => Err(Refused::Full),
            Err(Failure::Refused(error)) if code::is_about_one(error.err_code) => Err(Refused::Conflict),
            Err(failure) => Err(Refused::Unconfirmed(failure.to_string())),
        }
    }

    /// Sends the whole batch; the answer to its last message commits it, and carries that message's sequence.
    async fn store_all(&self, batch: &[Pending]) -> Result<u64, Failure> {
        let id = format!("{}{}", self.prefix, self.batches.fetch_add(1, Ordering::Relaxed));
        let Some((last, others)) = batch.split_last() else {
            return Err(Failure::Unknown("empty".to_owned()));
        };
        for (index, pending) in others.iter().enumerate() {
            let headers = headers(&pending.entry, batch_headers(&id, index + 1));
            self.nats
                .publish_with_headers(pending.entry.subject.clone(), headers, pending.entry.payload.clone())
                .await
                .map_err(|error| Failure::Unknown(error.to_string()))?;
        }
        let mut commit = batch_headers(&id, batch.len());
        commit.insert("Nats-Batch-Commit", "1");
        let ack = self.request(&last.entry, commit).await?;
        if ack.count != Some(batch.len() as u64) {
            return Err(Failure::Unknown("the batch was not stored as a whole".to_owned()));
        }
        Ok(ack.seq)
    }

    async fn request(&self, entry: &Entry, extra: HeaderMap) -> Result<Ack, Failure> {
        let request = async_nats::Request::new()
            .headers(headers(entry, extra))
            .payload(entry.payload.clone())
            .timeout(Some(TIMEOUT));
        let reply = self
            .nats
            .send_request(entry.subject.clone(), request)
            .await
            .map_err(|error| Failure::Unknown(error.to_string()))?;
        let reply: Reply =
            serde_json::from_slice(&reply.payload).map_err(|error| Failure::Unknown(error.to_string()))?;
        match reply {
            Reply::Error { error } => Err(Failure::Refused(error)),
            Reply::Ack(ack) => Ok(ack),
        }
    }
}

fn headers(entry: &Entry, mut headers: HeaderMap) -> HeaderMap {
    if let Some(id) = &entry.message_id {
        headers.insert("Nats-Msg-Id", id.as_str());
    }
    if let Some(sequence) = entry.expected_last {
        headers.insert("Nats-Expected-Last-Subject-Sequence", sequence.to_string().as_str());
    }
    if let Some((name, value)) = entry.mark {
        headers.insert(name, value);
    }
    headers
}

fn batch_headers(id: &str, sequence: usize) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Batch-Id", id);
    headers.insert("Nats-Batch-Sequence", sequence.to_string().as_str());
    headers
}

#[derive(Debug, Error)]
enum Failure {
    #[error("nothing was stored: {} ({})", .0.description, .0.err_code)]
    Refused(ApiError),
    #[error("nobody knows whether it was stored: {0}")]
    Unknown(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Reply {
    Error { error: ApiError },
    Ack(Ack),
}

#[derive(Deserialize)]
struct Ack {
    seq: u64,
    #[serde(default)]
    duplicate: bool,
    #[serde(default)]
    count: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct ApiError {
    err_code: u64,
    #[serde(default)]
    description: String,
}
