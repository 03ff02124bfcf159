//! Asking the whole mesh at once: NATS' service API (ADR-32), in the account of the services and, through an import, in
//! that of the auth callout.

/// Every replica of every service answers with its name and id.
pub const PING: [&str; 2] = ["$SRV.PING", "kez.auth.$SRV.PING"];

/// Every replica answers with its requests, errors and processing time by endpoint.
pub const STATS: [&str; 2] = ["$SRV.STATS", "kez.auth.$SRV.STATS"];

/// The services without which a mesh cannot carry messages.
pub const NEEDED: [&str; 3] = ["registry", "inbox", "auth-callout"];

/// Nobody listens here, so that the broker itself answers at once: no responders. Who hears that knows it is alive.
pub const NOBODY: &str = "kez.web.nobody.ping";
