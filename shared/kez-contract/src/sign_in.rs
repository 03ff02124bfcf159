//! How the broker asks who may connect: its own protocol, the auth callout, so these names are not ours to choose.

/// Where nats-server asks, in the account `AUTH`: a sealed JWT, answered by another, or not at all.
pub const ASKED: &str = "$SYS.REQ.USER.AUTH";

/// The group in which replicas share the asking.
pub const QUEUE_GROUP: &str = "kez-auth";

/// The header that names the curve key (X…) which a question is sealed from and its answer sealed to.
pub const SERVER_XKEY_HEADER: &str = "Nats-Server-Xkey";

/// The account that people are let into (nats/accounts.conf).
pub const ACCOUNT: &str = "EDGE";
