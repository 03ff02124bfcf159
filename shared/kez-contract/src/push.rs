//! Push: waking a device that sleeps, without telling the push network anything.
//!
//! A push has no payload. It says "look into your mailbox", and the device does; of messages that come within
//! [`COLLAPSE_SECONDS`] of a push nobody is told again, so whoever was woken looks once more after that time.

use serde::{Deserialize, Serialize};

use crate::{Rpc, Web};

// What people ask, over NATS
pub const VAPID_KEY: Rpc<AskVapidKey, VapidKey> = Rpc::new("kez.rpc.push.vapid-key.*.*");
pub const SUBSCRIBE: Rpc<Subscribe, Subscriptions> = Rpc::new("kez.rpc.push.subscribe.*.*");
pub const UNSUBSCRIBE: Rpc<Unsubscribe, Subscriptions> = Rpc::new("kez.rpc.push.unsubscribe.*.*");
pub const SUBSCRIPTIONS: Rpc<ListSubscriptions, Subscriptions> = Rpc::new("kez.rpc.push.subscriptions.*.*");
pub const TEST: Rpc<Test, Tested> = Rpc::new("kez.rpc.push.test.*.*");

// The same, for HTTP clients
pub const WEB_VAPID_KEY: Web<AskVapidKey, VapidKey> = Web::new("kez.web.push.vapid-key");
pub const WEB_SUBSCRIBE: Web<SignedPush, Subscriptions> = Web::new("kez.web.push.subscribe");
pub const WEB_UNSUBSCRIBE: Web<SignedPush, Subscriptions> = Web::new("kez.web.push.unsubscribe");
pub const WEB_SUBSCRIPTIONS: Web<SignedList, Subscriptions> = Web::new("kez.web.push.subscriptions");

/// The most subscriptions that a person may have.
pub const MAX_SUBSCRIPTIONS: usize = 16;

/// The longest endpoint URL, in bytes.
pub const MAX_ENDPOINT: usize = 2048;

/// The largest request of an HTTP client, in bytes of its JSON text.
pub const MAX_PUSH_REQUEST: usize = 4096;

/// Messages that come so soon after a push wake nobody a second time, in seconds.
pub const COLLAPSE_SECONDS: u32 = 5;

/// The consumer on each stream of mailboxes that news of mail is read through, headers alone. The inbox makes it, so that the
/// push service needs no right to make any (nats/accounts.conf names it, too).
pub const CONSUMER: &str = "push";

/// Asks which key pushes are signed with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskVapidKey {}

/// The `applicationServerKey` of a subscription (RFC 8292, section 3.2): an uncompressed P-256 point, base64url without
/// padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VapidKey {
    pub key: String,
}

/// A push subscription: `endpoint` and `keys` of what a browser's `PushSubscription.toJSON()` gives, or a UnifiedPush client.
/// The caller's own from now on; the same endpoint again replaces its keys. At most [`MAX_SUBSCRIPTIONS`] a person.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// `https`, on a public address, at most [`MAX_ENDPOINT`] bytes.
    pub endpoint: String,
    pub keys: SubscriptionKeys,
}

/// What payloads would be encrypted to (RFC 8291): base64url without padding. Kept for the day when a push has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SubscriptionKeys {
    /// An uncompressed P-256 point: 65 bytes.
    pub p256dh: String,
    /// 16 bytes.
    pub auth: String,
}

/// Ends the subscription of this endpoint. Not an error when there is none.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Unsubscribe {
    pub endpoint: String,
}

/// Asks for the caller's subscriptions.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListSubscriptions {}

/// The caller's subscriptions that now stand, the oldest first. Who finds theirs missing subscribes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Subscriptions {
    pub subscriptions: Vec<Subscription>,
}

/// One of the caller's subscriptions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Subscription {
    pub endpoint: String,
    /// RFC 3339, UTC, whole seconds.
    pub created_at: String,
}

/// Asks for one push to the caller's own endpoint, now, though the caller is online. The answer takes as long as the push
/// network does, up to ten seconds; six a minute.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    pub endpoint: String,
}

/// What the push network answered: whether it took the push, and its HTTP status, none if there was no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    pub accepted: bool,
    pub status: Option<u16>,
}

/// A request of an HTTP client: the body as it came ([`Subscribe`] or [`Unsubscribe`]), and the `X-KEZ-Auth` header that
/// signs the endpoint in it (protocol, section 5).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedPush {
    pub handle: String,
    pub auth: String,
    pub body: String,
}

/// The list of an HTTP client's subscriptions, signed in `X-KEZ-Auth`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedList {
    pub handle: String,
    pub auth: String,
}

/// What becomes of mail for somebody who has subscriptions, counted in `$SRV.STATS` of the push service by these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A push network took a push.
    Accepted,
    /// It knows no such subscription any more.
    Gone,
    /// It will never take a push to it.
    Refused,
    /// It did not take it yet.
    Delayed,
    /// It was not reached, or did not answer in time.
    Failed,
    /// A message needed no push of its own.
    Collapsed,
    /// Its owner was connected.
    SkippedOnline,
    /// A message was too old to wake anybody for.
    Expired,
}

/// All of them.
pub const OUTCOMES: [Outcome; 8] = [
    Outcome::Accepted,
    Outcome::Gone,
    Outcome::Refused,
    Outcome::Delayed,
    Outcome::Failed,
    Outcome::Collapsed,
    Outcome::SkippedOnline,
    Outcome::Expired,
];

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Delayed => "delayed",
            Self::Failed => "failed",
            Self::Collapsed => "collapsed",
            Self::SkippedOnline => "skipped_online",
            Self::Expired => "expired",
        }
    }
}
