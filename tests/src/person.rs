//! A person in a test: a key, a connection, and what people do.

use futures_util::StreamExt;
use kez::client::Client;
use kez_crypto::{Body, SecretKey};

/// Somebody, connected.
pub struct Person {
    pub secret: SecretKey,
    pub client: Client,
    /// Empty while not registered.
    pub handle: String,
}
