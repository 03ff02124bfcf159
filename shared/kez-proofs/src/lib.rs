//! Checks whether an account says that it belongs to an identity (protocol, section 7).
//!
//! A [`Checker`] looks where the account's channel has it look, one file a channel, and judges what it finds by one rule
//! for all (`judge`). Whatever is reached is reached through `reach`, which keeps to public addresses.

mod activitypub;
mod bluesky;
mod checker;
mod dns;
mod found;
mod github;
mod html;
mod http;
mod judge;
mod nostr;
mod places;
mod reach;
mod settings;
mod web;

pub use checker::Checker;
pub use judge::Finding;
pub use settings::Settings;
