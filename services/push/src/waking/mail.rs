//! News of one stored message, and the answer to it.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::{Client, Subject};
use kez_contract::inbox::SILENT_HEADER;
use serde_json::json;
use tokio::time::Instant;

/// The sequence of mail that was answered before: no message has it, and nothing is left to anybody by it.
pub const ANSWERED: i64 = -1;

/// A message, of which nothing is known but for whom it is, when it was stored, and whether it wakes anybody.
#[derive(Debug)]
pub struct Mail {
    /// 64 lower-case hex digits.
    pub primary: String,
    /// Of the stream, which is the same for all mail of one person.
    pub sequence: i64,
    /// Milliseconds since 1970, by the broker's clock.
    pub stored_at: i64,
    pub arrived: Instant,
    /// Its sender wants nobody woken for it.
    pub silent: bool,
    /// Where the broker hears of it; nowhere for mail that was answered before.
    answer: Option<Subject>,
}

impl Mail {
    /// Reads what the broker delivers: headers alone, on a subject that ends in whom it is for.
    pub fn read(message: &Message) -> Option<Self> {
        let info = message.info().ok()?;
        let stored_at = info.published.unix_timestamp_nanos() / 1_000_000;
        Some(Self {
            primary: message.subject.rsplit('.').next()?.to_owned(),
            sequence: i64::try_from(info.stream_sequence).ok()?,
            stored_at: i64::try_from(stored_at).ok()?,
            arrived: Instant::now(),
            silent: message.headers.as_ref().is_some_and(|headers| headers.get(SILENT_HEADER).is_some()),
            answer: message.reply.clone(),
        })
    }

    /// The same, of which the broker needs to hear no more.
    pub fn answered(&self) -> Self {
        Self { primary: self.primary.clone(), sequence: ANSWERED, answer: None, ..*self }
    }

    /// Nothing is to be done for it any more.
    pub async fn done(&self, nats: &Client) {
        self.say(nats, "+ACK".to_owned()).await;
    }

    /// It is to be delivered again, to whomever, after that time.
    pub async fn again(&self, nats: &Client, after: Duration) {
        self.say(
            nats,
            format!("-NAK {}", json!({ "delay": u64::try_from(after.as_nanos()).unwrap_or(u64::MAX) })),
        )
        .await;
    }

    /// It is being seen to: its time begins anew.
    pub async fn in_hand(&self, nats: &Client) {
        self.say(nats, "+WPI".to_owned()).await;
    }

    /// What does not arrive is delivered again.
    async fn say(&self, nats: &Client, word: String) {
        if let Some(answer) = &self.answer {
            let _ = nats.publish(answer.clone(), word.into()).await;
        }
    }
}
