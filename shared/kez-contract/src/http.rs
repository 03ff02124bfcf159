//! The paths of the HTTP API, each written once.

pub const HEALTHZ: &str = "/v1/healthz";
pub const READYZ: &str = "/v1/readyz";
pub const CONFIG: &str = "/v1/config";
pub const OPENAPI: &str = "/v1/openapi.json";
pub const REGISTER: &str = "/v1/register";
pub const USER: &str = "/v1/u/{handle}";
pub const BY_PRIMARY: &str = "/v1/by-primary/{primary}";
pub const WEBFINGER: &str = "/.well-known/webfinger";
pub const PROFILE: &str = "/v1/profile/{handle}";
pub const PROOFS: &str = "/v1/profile/{handle}/proofs";
pub const SIGCHAIN: &str = "/v1/sigchains/{alg}/{key}";
pub const CLAIMS: &str = "/v1/claims";
pub const VERIFY: &str = "/v1/verify";
pub const MESSAGES: &str = "/v1/messages";
pub const INBOX: &str = "/v1/inbox/{handle}";
pub const INBOX_STREAM: &str = "/v1/inbox/{handle}/stream";
pub const VAPID_KEY: &str = "/v1/push/vapid-public-key";
pub const PUSH_SUBSCRIBE: &str = "/v1/push/subscribe/{handle}";
pub const PUSH_UNSUBSCRIBE: &str = "/v1/push/unsubscribe/{handle}";
pub const PUSH_SUBSCRIPTIONS: &str = "/v1/push/subscriptions/{handle}";
pub const NATS: &str = "/v1/nats";
pub const METRICS: &str = "/metrics";

/// What a code of a problem document means, for people; the document's `type` points here.
pub const ERROR: &str = "/errors/{code}";
/// The page that people see, and its style sheet.
pub const LANDING: &str = "/";
pub const LANDING_STYLE: &str = "/landing.css";

/// The header that signs a request (protocol, section 5).
pub const AUTH_HEADER: &str = "x-kez-auth";
