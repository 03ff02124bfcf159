//! Messages: sent until they are stored, fetched, and acknowledged.

use kez_contract::Problem;
use kez_contract::inbox::{ACK, Ack, Acked, FETCH, Fetch, Page, SEND, Send, Sent, Stored};
use kez_crypto::{Copied, MessageId, PublicKey, Sealed, Timestamp};

use super::Client;
use super::devices::{judge, judge_all, vouched};
use crate::chains::ChainFault;
use crate::mail::{Opened, Received, Waiting, document, write, write_copy};
use crate::speaker::Speaker;

/// A message that the server has stored and flushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The message's own name, which only sender and recipient know.
    pub id: MessageId,
    pub to: PublicKey,
    pub sent_at: Timestamp,
    pub sent: Sent,
}

/// A page of my mailbox, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub messages: Vec<Received>,
    /// What to pass as `since` for the page after this one.
    pub next: u64,
    pub more: bool,
}

/// A page of my mailbox, opened as far as that can be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub messages: Vec<Result<Received, Waiting>>,
    /// What to pass as `since` for the page after this one.
    pub next: u64,
    pub more: bool,
}

impl Judged {
    /// All of it, or why one of its messages has to wait.
    pub(crate) fn whole(self) -> Result<Mail, Problem> {
        let messages = self.messages.into_iter().map(|message| message.map_err(|waiting| waiting.problem));
        Ok(Mail { messages: messages.collect::<Result<_, _>>()?, next: self.next, more: self.more })
    }
}

impl Delivered {
    /// A copy of it for my other devices; `text` is what was sent.
    pub(crate) fn copy(&self, me: &Speaker, text: &str) -> Result<Sealed, Problem> {
        write_copy(me, Copied { to: self.to, id: self.id }, text, self.sent_at)
    }
}

impl Client {
    /// Seals a text to somebody (a handle, or `ed25519:<hex>`) and sends it. While the server is unavailable the same
    /// envelope is sent again, so that it is stored once however often that is.
    pub async fn send(&self, to: &str, text: &str) -> Result<Delivered, Problem> {
        let to = self.patiently(|| self.resolve(to)).await?;
        let sent_at = self.sending_now();
        let (id, sealed) = write(&self.connection.me, &to, text, sent_at)?;
        Ok(Delivered { id, to, sent_at, sent: self.deliver(&to, &sealed).await? })
    }

    /// Whether I am there on other devices, which see what I send only if they are told. Whoever speaks as a device has
    /// at least the identity itself beside it.
    pub async fn has_siblings(&self) -> Result<bool, ChainFault> {
        let speaks_as_device = self.connection.me.as_device().is_some();
        Ok(speaks_as_device || self.chain(self.primary()).await?.chain().devices().next().is_some())
    }

    /// Gives my other devices a copy of what was sent, for which nobody is woken.
    pub async fn copy(&self, delivered: &Delivered, text: &str) -> Result<Sent, Problem> {
        let sealed = delivered.copy(&self.connection.me, text)?;
        let request =
            Send { silent: true, ..Send::new(self.primary().identifier(), document(sealed.canonical())?) };
        self.patiently(|| self.call(&SEND, &request)).await
    }

    /// Signs a text and seals it to somebody.
    pub fn seal(&self, to: &PublicKey, text: &str) -> Result<(MessageId, Sealed), Problem> {
        write(&self.connection.me, to, text, self.sending_now())
    }

    /// Sends a sealed message, again and again while the server is unavailable.
    pub async fn deliver(&self, to: &PublicKey, sealed: &Sealed) -> Result<Sent, Problem> {
        let request = Send::new(to.identifier(), document(sealed.canonical())?);
        self.patiently(|| self.call(&SEND, &request)).await
    }

    /// What lies in the mailbox after sequence `since` (0: from the oldest), at most `limit` messages, opened.
    pub async fn fetch(&self, since: u64, limit: u32) -> Result<Mail, Problem> {
        self.judged(since, limit).await?.whole()
    }

    /// The same, with those among them that have to wait.
    pub async fn judged(&self, since: u64, limit: u32) -> Result<Judged, Problem> {
        let page = self.page(since, limit).await?;
        let open = |stored: &Stored| Opened::new(stored, self.connection.me.key(), self.server_now());
        let ask = |sender, device| async move { self.has_device(sender, &device).await };
        let messages = judge_all(&page.messages, open, ask).await;
        Ok(Judged { messages, next: page.next, more: page.more })
    }

    /// This device has everything up to and including `seq`.
    pub async fn ack(&self, seq: u64) -> Result<Acked, Problem> {
        self.call(&ACK, &Ack { seq }).await
    }

    /// Opens a stored message. Where a device has signed, its sender's chain is asked whether it is theirs, and an error
    /// says that it could not be asked.
    pub(super) async fn open(&self, stored: &Stored) -> Result<Received, Problem> {
        let opened = Opened::new(stored, self.connection.me.key(), self.server_now());
        match opened.device() {
            Some((sender, device)) => judge(opened, vouched(|| self.has_device(sender, &device)).await),
            None => Ok(opened.judged(false)),
        }
    }

    pub(super) async fn page(&self, since: u64, limit: u32) -> Result<Page, Problem> {
        self.call(&FETCH, &Fetch { since, limit }).await
    }
}
