//! Kez's protocol and cryptography: keys, envelopes, phrases and sealed messages, as pure functions.
//!
//! Nothing here waits, reads a clock or draws random bytes: callers pass the time and the bytes. Every parser
//! reads what strangers send, so it refuses before it computes, and answers with one [`Fault`].

pub mod bundle;
pub mod chain;
mod claim;
mod compression;
pub mod conform;
pub mod encoding;
pub mod envelope;
mod fault;
mod handle;
mod identicon;
mod identifier;
pub mod json;
mod message;
mod nkey;
mod nostr;
mod payload;
pub mod phrase;
pub mod picture;
mod primary;
mod profile;
mod public_key;
mod registration;
pub mod request_auth;
pub mod sealed;
mod secret_key;
mod seen;
mod session;
mod timestamp;
pub mod visual;
mod x25519;

pub use chain::{Chain, Event, Op};
pub use claim::Claim;
pub use envelope::{Signed, Tag};
pub use fault::Fault;
pub use handle::{FullHandle, Handle};
pub use identicon::Identicon;
pub use identifier::Identifier;
pub use message::{Body, Copied, Message, MessageId, ReceiptStatus};
pub use nostr::{NostrKey, NostrSecret};
pub use phrase::{Phrase, PhraseFault};
pub use picture::{Picture, PictureKey, PictureType, Preview, open_picture, seal_picture};
pub use primary::{Primary, Signer};
pub use profile::Profile;
pub use public_key::PublicKey;
pub use registration::Registration;
pub use sealed::{Carried, Sealed, open, open_archived, seal};
pub use secret_key::SecretKey;
pub use seen::Seen;
pub use session::{Purpose, Session};
pub use timestamp::Timestamp;
pub use x25519::{x25519_public, x25519_secret};
