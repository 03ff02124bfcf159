//! Who exists: handles, the keys they belong to, and what people say about themselves.

use serde::{Deserialize, Serialize};

use crate::{Document, Rpc, Svc, Web};

// What people ask, over NATS
pub const REGISTER: Rpc<Register, Registered> = Rpc::new("kez.rpc.registry.register.*.*");
pub const LOOKUP: Rpc<ByHandle, Record> = Rpc::new("kez.rpc.registry.lookup.*.*");
pub const BY_PRIMARY: Rpc<ByPrimary, Record> = Rpc::new("kez.rpc.registry.by-primary.*.*");
pub const AVAILABLE: Rpc<ByHandle, Availability> = Rpc::new("kez.rpc.registry.available.*.*");
pub const PROFILE: Rpc<ByHandle, Profile> = Rpc::new("kez.rpc.registry.profile.*.*");
pub const PUT_PROFILE: Rpc<PutProfile, Profile> = Rpc::new("kez.rpc.registry.put-profile.*.*");
pub const PUT_PROOFS: Rpc<PutProofs, Record> = Rpc::new("kez.rpc.registry.put-proofs.*.*");

// The same, for HTTP clients
pub const WEB_REGISTER: Web<Register, Registered> = Web::new("kez.web.registry.register");
pub const WEB_LOOKUP: Web<ByHandle, Record> = Web::new("kez.web.registry.lookup");
pub const WEB_BY_PRIMARY: Web<ByPrimary, Record> = Web::new("kez.web.registry.by-primary");
pub const WEB_WEBFINGER: Web<WebFinger, ResourceDescriptor> = Web::new("kez.web.registry.webfinger");
pub const WEB_PROFILE: Web<ByHandle, Profile> = Web::new("kez.web.registry.profile");
pub const WEB_PUT_PROFILE: Web<SignedPut, Profile> = Web::new("kez.web.registry.put-profile");
pub const WEB_PUT_PROOFS: Web<SignedPut, Record> = Web::new("kez.web.registry.put-proofs");

// What other services ask
pub const RESOLVE: Svc<Resolve, Resolved> = Svc::new("kez.svc.registry.resolve");

/// The largest registration envelope, in bytes of its JSON text.
pub const MAX_REGISTRATION: usize = 8 * 1024;

/// The largest profile envelope, in bytes of its JSON text.
pub const MAX_PROFILE: usize = 64 * 1024;

/// The most subjects that a person may name as theirs.
pub const MAX_PROOFS: usize = 64;

/// WebFinger relations. `self`: the person's [`Record`].
pub const REL_SELF: &str = "self";
/// The person's signed profile.
pub const REL_PROFILE: &str = "https://kez.lat/rel/profile";
/// The person's sigchain, one signed event a line.
pub const REL_SIGCHAIN: &str = "https://kez.lat/rel/sigchain";

/// A signed `handle_registration` envelope (protocol, sections 3 and 4), at most [`MAX_REGISTRATION`]. A handle moves to
/// another key when the sigchain of the one that has it ends with a `rotate` event that names that other key (section 6).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    pub envelope: Document,
}

/// The record that now stands; `created` is false when it stood already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    pub created: bool,
    pub record: Record,
}

/// What anyone may know of a registered person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Record {
    pub handle: String,
    /// `handle@server`.
    pub fqhn: String,
    /// `ed25519:<64 hex>`.
    pub primary: String,
    /// Where this person's sigchain is read over HTTP.
    pub sigchain_url: String,
    /// RFC 3339, UTC, whole seconds.
    pub registered_at: String,
    /// Subjects this person says are theirs: for discovery only, readers verify each.
    pub proofs: Vec<String>,
}

/// A handle, with or without `@server`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByHandle {
    pub handle: String,
}

/// A primary, `ed25519:<64 hex>`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByPrimary {
    pub primary: String,
}

/// Whether a handle can be registered; if not, `reason` is the code that a registration would be refused with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    pub available: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<crate::Code>,
}

/// A signed `profile` envelope as its owner last put it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Profile {
    pub envelope: Document,
}

/// A signed `profile` envelope of the caller's own, at most [`MAX_PROFILE`]. The latest `updated_at` wins.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutProfile {
    pub envelope: Document,
}

/// The subjects that the caller says are theirs, each an identifier (protocol, section 1), at most [`MAX_PROOFS`].
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PutProofs {
    pub subjects: Vec<String>,
}

/// A PUT over HTTP: the body as it came, and the `X-KEZ-Auth` header that signs its SHA-256 (protocol, section 5).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedPut {
    pub handle: String,
    pub auth: String,
    pub body: String,
}

/// A WebFinger query (RFC 7033, section 4): the resource and the relations wanted, all of them when none is named.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebFinger {
    pub resource: String,
    pub rels: Vec<String>,
}

/// A JSON Resource Descriptor (RFC 7033, section 4.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResourceDescriptor {
    pub subject: String,
    pub aliases: Vec<String>,
    pub links: Vec<ResourceLink>,
}

/// One link of a [`ResourceDescriptor`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResourceLink {
    pub rel: String,
    #[serde(rename = "type")]
    pub media_type: String,
    pub href: String,
}

/// Somebody by handle (`alice`, `alice@server`) or by primary (`ed25519:<hex>`, or the 64 hex digits alone).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    pub who: String,
}

/// A registered person; the primary as 64 lower-case hex digits, as subjects carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    pub handle: String,
    pub primary: String,
}
