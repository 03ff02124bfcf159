//! Sigchains: what an identity claims, which devices speak for it, who succeeds it, and whether accounts agree.
//!
//! A chain belongs to a primary, `ed25519:<64 hex>` or `nostr:npub1…`; its two halves are the last two tokens of the
//! chain's subject and of its HTTP path.

use serde::{Deserialize, Serialize};

use crate::{Document, Rpc, Svc, Web};

// What people ask, over NATS
pub const APPEND: Rpc<Append, Appended> = Rpc::new("kez.rpc.sigchain.append.*.*");
pub const HEAD: Rpc<OfPrimary, Head> = Rpc::new("kez.rpc.sigchain.head.*.*");
pub const EVENTS: Rpc<Events, EventPage> = Rpc::new("kez.rpc.sigchain.events.*.*");
pub const CLAIMANTS: Rpc<BySubject, Claimants> = Rpc::new("kez.rpc.sigchain.claimants.*.*");
pub const VERIFY: Rpc<Verify, Verdict> = Rpc::new("kez.rpc.sigchain.verify.*.*");

// The same, for HTTP clients
pub const WEB_APPEND: Web<Append, Appended> = Web::new("kez.web.sigchain.append");
pub const WEB_EVENTS: Web<Events, EventPage> = Web::new("kez.web.sigchain.events");
pub const WEB_CLAIMANTS: Web<BySubject, Claimants> = Web::new("kez.web.sigchain.claimants");
pub const WEB_VERIFY: Web<Verify, Verdict> = Web::new("kez.web.sigchain.verify");

// What other services ask
pub const STANDING: Svc<Standing, Stands> = Svc::new("kez.svc.sigchain.standing");

/// The subject under which a chain is stored: only the sigchain service may publish there.
pub fn chain_subject(system: &str, name: &str) -> String {
    format!("kez.sigchain.{system}.{name}")
}

/// The subjects of every chain.
pub const CHAINS: &str = "kez.sigchain.*.*";

/// The primary whose chain is stored or announced under that subject.
pub fn chain_owner(subject: &str) -> Option<String> {
    let rest =
        subject.strip_prefix("kez.feed.sigchain.").or_else(|| subject.strip_prefix("kez.sigchain."))?;
    let (system, name) = rest.split_once('.')?;
    (!name.contains('.')).then(|| format!("{system}:{name}"))
}

/// The largest event, in bytes of its JSON text.
pub const MAX_EVENT: usize = 16 * 1024;

/// The most events that one page holds; a page also ends with the event that makes it reach [`MAX_PAGE_BYTES`].
pub const MAX_PAGE: u32 = 1000;

/// The bytes with which a page is long enough. One event more still fits into a reply.
pub const MAX_PAGE_BYTES: usize = 512 * 1024;

/// The most claimants that one page holds; it also ends with the event that makes it reach [`MAX_PAGE_BYTES`].
pub const MAX_CLAIMANTS: u32 = 100;

/// A signed `sigchain_event` (protocol, section 6), at most [`MAX_EVENT`]. Over NATS it is the caller's own.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Append {
    pub event: Document,
}

/// Stored and flushed. `created` is false when this very event stood there already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    pub created: bool,
    /// The event's own number and hash.
    #[serde(flatten)]
    pub event: Head,
}

/// The last event of a chain, or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Head {
    /// The event's number; the first one's is 0.
    pub seq: u64,
    /// `sha256:<hex>` of the event's envelope.
    pub head: String,
}

/// Whose chain: `ed25519:<64 hex>` or `nostr:npub1…`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfPrimary {
    pub primary: String,
}

/// The events of a chain from number `since` on, at most `limit` of them (1 to [`MAX_PAGE`]).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    pub primary: String,
    pub since: u64,
    pub limit: u32,
}

/// Events in order, as they were stored: readers verify them.
#[derive(Debug, Serialize, Deserialize)]
pub struct EventPage {
    pub events: Vec<Document>,
    /// The last event of the whole chain, as the service has it; none while the chain is empty.
    pub head: Option<Head>,
    /// Whether there is more after this page.
    pub more: bool,
}

/// Who claims `subject`, in the order of their primaries, after the primary `after`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BySubject {
    pub subject: String,
    #[serde(default)]
    pub after: Option<String>,
}

/// At most [`MAX_CLAIMANTS`] of them.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Claimants {
    pub claimants: Vec<Claimant>,
    pub more: bool,
}

/// An identity whose chain claims the subject now, by this event.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Claimant {
    pub primary: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub event: Document,
}

/// Does the account `subject` say that it belongs to `primary`? An answer may be a day old unless a `fresh` one is asked
/// for; also then, what an account said within a day is told where it cannot be reached now.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    pub subject: String,
    pub primary: String,
    #[serde(default)]
    pub fresh: bool,
}

/// What a check of an account found.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verdict {
    pub subject: String,
    pub primary: String,
    pub status: Status,
    /// Why it is not verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Where it was looked for, or found.
    pub evidence: String,
    /// The claim that was found there, as its owner signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub claim: Option<Document>,
    /// RFC 3339, UTC, whole seconds.
    pub checked_at: String,
}

/// `failed` is the account's answer; `unreachable` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Verified,
    Failed,
    Unreachable,
}

/// Why an account is not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Why {
    // The account answered
    /// It holds no claim.
    Absent,
    /// It holds something that begins as a claim and cannot be read.
    Malformed,
    /// It holds a claim of another identity.
    WrongPrimary,
    /// It holds a claim of another account.
    WrongSubject,
    /// The claim's signature does not verify.
    BadSignature,
    /// The claim has expired.
    Expired,
    /// The identity's sigchain has taken the claim back.
    Revoked,
    /// The account itself does not exist.
    NoSuchAccount,
    // It did not
    /// No answer in time.
    Timeout,
    /// The answer is larger than is read.
    TooLarge,
    /// No connection, an error, or an answer that cannot be understood.
    NoAnswer,
    /// The address is not a public one, or the answer leads to another host.
    Forbidden,
    /// The channel asks to wait.
    RateLimited,
}

/// What other services need to know of an Ed25519 identity: 64 hex digits each.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    pub primary: String,
    #[serde(default)]
    pub device: Option<String>,
}

/// How it stands by its chain, now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stands {
    /// Whether the device that was asked about is active. False when none was.
    pub device_is_active: bool,
    /// The identity that this one has become, 64 hex digits.
    pub successor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_told_apart_by_their_subject() {
        let subject = chain_subject("ed25519", "aa");
        assert_eq!(subject, "kez.sigchain.ed25519.aa");
        assert_eq!(chain_owner(&subject).as_deref(), Some("ed25519:aa"));
        assert_eq!(chain_owner("kez.feed.sigchain.nostr.npub1x").as_deref(), Some("nostr:npub1x"));
        for other in ["kez.sigchain.aa", "kez.sigchain.a.b.c", "kez.feed.registry.aa"] {
            assert_eq!(chain_owner(other), None, "{other}");
        }
    }
}
