//! Who somebody is, by the credentials they sent: decided from the request, the server's name and the time alone.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use kez_contract::sign_in::{connection_name, waking_connection_name};
use kez_crypto::{PublicKey, Purpose, Session, Timestamp};

use crate::jwt::{ConnectOptions, Request};
use crate::refusal::Refusal;

/// A session envelope takes about 700 bytes. nats-server itself takes credentials of 4,096 at most by default.
const LONGEST_SESSION: usize = 4096;

/// Somebody who has proven who they are; that the device speaks for the primary is its own word, until the primary's sigchain
/// has been asked.
#[derive(Debug, PartialEq, Eq)]
pub struct Person {
    pub primary: PublicKey,
    /// The primary itself when the sign-in names no device.
    pub device: PublicKey,
    /// What the session, if there is one, is good for.
    pub purpose: Purpose,
    pub session_ends: Option<Timestamp>,
}

impl Person {
    /// The names of all connections that somebody may have on a device.
    pub fn connection_names(primary: &PublicKey, device: &PublicKey) -> [String; 2] {
        let (primary, device) = (primary.to_hex(), device.to_hex());
        [connection_name(&primary, &device), waking_connection_name(&primary, &device)]
    }

    /// The name of this connection.
    pub fn connection_name(&self) -> String {
        let [name, waking] = Self::connection_names(&self.primary, &self.device);
        match self.purpose {
            Purpose::Everything => name,
            Purpose::Wake => waking,
        }
    }
}

/// The person, if the credentials prove one.
///
/// nats-server does not verify signatures of keys that are not in its configuration: whoever is let through here with a
/// key has that key's name, whether it is theirs or not.
pub fn identify(request: &Request, server: &str, now: Timestamp) -> Result<Person, Refusal> {
    let (client, shown) = (&request.client_info, &request.connect_opts);
    if client.kind != "Client" || !matches!(client.transport.as_str(), "nats" | "websocket") {
        return Err(Refusal::NotAClient);
    }
    if !(shown.jwt.is_empty() && shown.user.is_empty() && shown.pass.is_empty()) {
        return Err(Refusal::PasswordOrJwt);
    }
    if shown.nkey.is_empty() {
        return Err(Refusal::NoCredentials);
    }
    let key = PublicKey::from_nkey(&shown.nkey).map_err(|_| Refusal::NotAnNkey)?;
    prove_nonce(&key, &client.nonce, &shown.sig)?;
    if shown.auth_token.is_empty() {
        let purpose = Purpose::Everything;
        return Ok(Person { primary: key, device: key, purpose, session_ends: None });
    }
    by_session(shown, server, now)
}

fn prove_nonce(key: &PublicKey, nonce: &str, signature: &str) -> Result<(), Refusal> {
    if nonce.is_empty() || signature.is_empty() {
        return Err(Refusal::NoNonce);
    }
    let decoded = URL_SAFE_NO_PAD.decode(signature).or_else(|_| STANDARD.decode(signature));
    let signature = decoded.ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
    let signature = signature.ok_or(Refusal::BadSignature)?;
    key.verify_strict(nonce.as_bytes(), &signature).map_err(|_| Refusal::BadSignature)
}

/// The key that signed the nonce is one that the primary, or something that calls itself a device of it, named for this
/// session.
fn by_session(shown: &ConnectOptions, server: &str, now: Timestamp) -> Result<Person, Refusal> {
    if shown.auth_token.len() > LONGEST_SESSION {
        return Err(Refusal::SessionTooLong);
    }
    let session = Session::check(shown.auth_token.as_bytes(), server, &shown.nkey, now);
    let session = session.map_err(Refusal::Session)?;
    Ok(Person {
        primary: session.primary,
        device: session.device.unwrap_or(session.primary),
        purpose: session.purpose,
        session_ends: Some(session.expires_at),
    })
}
