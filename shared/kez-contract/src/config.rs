//! What a client needs to know of a server before it talks to it.

use serde::{Deserialize, Serialize};

/// The answer to `GET /v1/config`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClientConfig {
    /// The domain after the `@`.
    pub server: String,
    pub version: String,
    /// Where the broker takes WebSocket connections, the best first. A relative one is below the page's own origin.
    pub nats: Vec<String>,
    /// The key that push messages are signed with; absent until the push service runs.
    pub vapid_public_key: Option<String>,
    pub limits: Limits,
}

/// Limits that a client should know before it hits them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Bytes of a sealed envelope's JSON text.
    pub envelope_bytes: usize,
    /// Messages a page.
    pub page: u32,
    /// Days that mail is kept.
    pub retention_days: u32,
    /// Sends a minute from one address, over HTTP. A message counts once for each 16 KiB that it begins.
    pub http_sends_per_minute: u32,
}
