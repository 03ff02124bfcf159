//! Sealed messages: handed in by anyone, kept until every device of the recipient has them.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::{Document, Rpc, Web};

// What people ask, over NATS
pub const SEND: Rpc<Send, Sent> = Rpc::new("kez.rpc.inbox.send.*.*");
pub const FETCH: Rpc<Fetch, Page> = Rpc::new("kez.rpc.inbox.fetch.*.*");
pub const ACK: Rpc<Ack, Acked> = Rpc::new("kez.rpc.inbox.ack.*.*");

// The same, for HTTP clients
pub const WEB_SEND: Web<Send, Sent> = Web::new("kez.web.inbox.send");
pub const WEB_FETCH: Web<SignedFetch, Page> = Web::new("kez.web.inbox.fetch");
pub const WEB_OPEN_STREAM: Web<SignedFetch, StreamPage> = Web::new("kez.web.inbox.open-stream");
pub const WEB_RESUME_STREAM: Web<SignedFetch, StreamPage> = Web::new("kez.web.inbox.resume-stream");

/// The subject under which a mailbox is stored: only the inbox service may publish there.
pub fn mailbox_subject(primary: &str) -> String {
    format!("kez.inbox.{}.{primary}", primary.get(..2).unwrap_or_default())
}

/// The subjects of every mailbox.
pub const MAILBOXES: &str = "kez.inbox.*.*";

/// The subjects of the mailboxes of one logical shard: those of primaries that begin with this byte.
pub fn shard_subjects(shard: u8) -> String {
    format!("kez.inbox.{shard:02x}.*")
}

/// The subject under which a device's cursor is stored: only the inbox service may publish there.
pub fn cursor_subject(primary: &str, device: &str) -> String {
    format!("kez.cursor.{primary}.{device}")
}

/// The device whose cursor is stored under a subject.
pub fn cursor_device(subject: &str) -> Option<&str> {
    subject.strip_prefix("kez.cursor.")?.split_once('.').map(|(_, device)| device)
}

/// The header under which a message is stored that is [`Send::silent`], with any value: what the push service looks for.
pub const SILENT_HEADER: &str = "Kez-Silent";

/// The largest sealed envelope, in bytes of its JSON text.
pub const MAX_ENVELOPE: usize = 256 * 1024;

/// Limits on sends count a message once for each so many bytes that it begins, since it is kept on a disk.
pub const SEND_UNIT: usize = 16 * 1024;

/// For how many sends a message of so many bytes counts.
pub fn send_weight(bytes: usize) -> NonZeroU32 {
    u32::try_from(bytes.div_ceil(SEND_UNIT))
        .map_or(NonZeroU32::MAX, |units| NonZeroU32::new(units).unwrap_or(NonZeroU32::MIN))
}

/// The most messages that one page holds; a page also ends with the message that makes it reach [`MAX_PAGE_BYTES`].
pub const MAX_PAGE: u32 = 500;

/// The bytes, as the store counts them, with which a page is long enough. One envelope more still fits into a reply.
pub const MAX_PAGE_BYTES: usize = 512 * 1024;

/// How long mail is kept, in days.
pub const RETENTION_DAYS: u32 = 30;

/// How long the HTTP stream of a mailbox may be resumed under one signature, in seconds.
pub const STREAM_LIFETIME: u64 = 3600;

/// A sealed message for somebody, by handle (`alice`, `alice@server`) or primary (`ed25519:<hex>`).
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Send {
    pub to: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub envelope: Document,
    /// Nobody who sleeps is woken for it: receipts, keys of pictures, copies for one's own devices. The server learns that it
    /// is one of those. It is stored and delivered like any other; of the same envelope sent again the first word counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub silent: bool,
}

impl Send {
    /// A message that wakes whoever sleeps.
    pub fn new(to: String, envelope: Document) -> Self {
        Self { to, envelope, silent: false }
    }
}

/// Stored and flushed. `id` is the transport id: hex SHA-256 of the envelope's canonical form. Sending the same envelope
/// again answers the same and stores nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sent {
    pub id: String,
    pub seq: u64,
}

/// What lies in the caller's mailbox after sequence `since` (0: from the oldest), at most `limit` messages (1 to 500).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    pub since: u64,
    pub limit: u32,
}

/// Messages in the order of their sequence.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page {
    pub messages: Vec<Stored>,
    /// What to pass as `since` for the page after this one.
    pub next: u64,
    /// Whether there is more.
    pub more: bool,
}

/// One sealed message as it was stored.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stored {
    /// Grows, with gaps: a mailbox shares its sequences with others.
    pub seq: u64,
    /// RFC 3339, UTC, whole seconds.
    pub received_at: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub envelope: Document,
}

/// The caller's device has everything up to and including `seq`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ack {
    pub seq: u64,
}

/// Where this device's cursor now stands, and up to where every device has everything, so that it is no longer kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acked {
    pub cursor: u64,
    pub purged: u64,
}

/// A fetch over HTTP, signed in `X-KEZ-Auth` (protocol, section 5).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedFetch {
    pub handle: String,
    pub auth: String,
    pub since: u64,
    pub limit: u32,
}

/// The first page of a stream, and whose live subject continues it (64 hex digits).
#[derive(Debug, Serialize, Deserialize)]
pub struct StreamPage {
    pub primary: String,
    pub page: Page,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_names_its_device() {
        assert_eq!(cursor_device(&cursor_subject("aa", "bb")), Some("bb"));
        assert_eq!(cursor_device("kez.cursor.aa"), None);
        assert_eq!(cursor_device(&mailbox_subject("aabb")), None);
    }

    #[test]
    fn a_message_weighs_what_it_takes_on_disk() {
        let cases =
            [(0, 1), (1, 1), (SEND_UNIT, 1), (SEND_UNIT + 1, 2), (MAX_ENVELOPE, 16), (usize::MAX, u32::MAX)];
        for (bytes, weight) in cases {
            assert_eq!(send_weight(bytes).get(), weight, "{bytes}");
        }
    }
}
