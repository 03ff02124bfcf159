//! Signing in: the answer to the nonce that the broker sends on every connect.

use std::sync::{Mutex, PoisonError};

use async_nats::{Auth, AuthError};
use kez_crypto::{SecretKey, Session, Timestamp};

use super::Connection;

/// A session's longest life, in seconds.
const A_DAY: i64 = 24 * 60 * 60;

/// How the connection proves whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignIn {
    /// A fresh key answers the nonce, and a session envelope, signed by the identity for this server and at most a
    /// day, names that key. The identity never signs bytes that a server chose.
    Session { seconds: i64 },
    /// The identity's own key answers the nonce, as any NATS tool can.
    Plain,
}

impl Default for SignIn {
    fn default() -> Self {
        Self::Session { seconds: A_DAY }
    }
}

/// Answers nonces, and makes a new session when the one it has is half over.
pub(super) struct Signer {
    connection: Connection,
    session: Mutex<Option<Issued>>,
}

#[derive(Clone)]
struct Issued {
    key: SecretKey,
    envelope: String,
    renew_at: Timestamp,
}

impl Signer {
    pub(super) fn new(connection: &Connection) -> Self {
        Self { connection: connection.clone(), session: Mutex::new(None) }
    }

    pub(super) fn answer(&self, nonce: &[u8]) -> Result<Auth, AuthError> {
        if !is_nonce(nonce) {
            return Err(AuthError::new("the server sent no nonce to sign, but something else"));
        }
        let mut auth = Auth::new();
        let identity = self.connection.me.key();
        match self.connection.sign_in {
            SignIn::Plain => {
                auth.nkey = Some(identity.public().nkey());
                auth.signature = Some(identity.sign(nonce).to_vec());
            }
            SignIn::Session { seconds } => {
                let issued = self.session(seconds).map_err(AuthError::new)?;
                auth.nkey = Some(issued.key.public().nkey());
                auth.signature = Some(issued.key.sign(nonce).to_vec());
                auth.token = Some(issued.envelope);
            }
        }
        Ok(auth)
    }

    fn session(&self, seconds: i64) -> Result<Issued, std::string::FromUtf8Error> {
        let now = Timestamp::from_unix(self.connection.clock.now());
        let mut held = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(issued) = held.as_ref().filter(|issued| now.seconds_since(issued.renew_at) < 0) {
            return Ok(issued.clone());
        }
        let Connection { me, server, .. } = &self.connection;
        let key = SecretKey::from_seed(kez_service::random::bytes());
        let expires_at = now.plus_seconds(seconds);
        let envelope = Session::create(me.primary(), key.public(), server, now, expires_at, me.key());
        let issued =
            Issued { key, envelope: String::from_utf8(envelope)?, renew_at: now.plus_seconds(seconds / 2) };
        Ok(held.insert(issued).clone())
    }
}

/// Whether these bytes are a nonce as NATS servers make them, and not something that means anything elsewhere.
fn is_nonce(nonce: &[u8]) -> bool {
    (11..=24).contains(&nonce.len())
        && nonce.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speaker::Speaker;

    fn signer(sign_in: SignIn) -> Signer {
        let identity = SecretKey::from_seed([7; 32]);
        Signer::new(&Connection { sign_in, ..Connection::new("nats://x", "kez.test", &identity) })
    }

    #[test]
    fn a_session_speaks_for_the_identity_and_is_renewed_at_half_its_life() {
        let signer = signer(SignIn::Session { seconds: 100 });
        let (clock, identity) = (signer.connection.clock.clone(), signer.connection.me.primary());
        let first = signer.answer(b"abcdefghijk").unwrap();
        let nkey = first.nkey.clone().unwrap();
        let now = Timestamp::from_unix(clock.now());
        let session =
            Session::check(first.token.clone().unwrap().as_bytes(), "kez.test", &nkey, now).unwrap();
        assert_eq!((session.primary, session.device), (identity, None));
        assert_ne!(nkey, identity.nkey());

        assert_eq!(signer.answer(b"abcdefghijl").unwrap().token, first.token);
        clock.advance(51);
        let second = signer.answer(b"abcdefghijm").unwrap();
        assert_ne!(second.token, first.token);
        assert_ne!(second.nkey, first.nkey);
    }

    #[test]
    fn a_device_signs_for_its_primary_and_says_so() {
        let (primary, device) = (SecretKey::from_seed([7; 32]).public(), SecretKey::from_seed([8; 32]));
        let me = Speaker::device(&device, primary);
        let signer = Signer::new(&Connection::new("nats://x", "kez.test", me));
        let auth = signer.answer(b"abcdefghijk").unwrap();
        let now = Timestamp::from_unix(signer.connection.clock.now());
        let session =
            Session::check(auth.token.unwrap().as_bytes(), "kez.test", &auth.nkey.unwrap(), now).unwrap();
        assert_eq!((session.primary, session.device), (primary, Some(device.public())));
    }

    #[test]
    fn plain_sign_in_answers_with_the_identity_itself() {
        let signer = signer(SignIn::Plain);
        let answer = signer.answer(b"abcdefghijk").unwrap();
        let identity = signer.connection.me.primary();
        assert_eq!(answer.nkey, Some(identity.nkey()));
        assert!(answer.token.is_none());
        let signature = answer.signature.unwrap().try_into().unwrap();
        identity.verify_strict(b"abcdefghijk", &signature).unwrap();
    }

    #[test]
    fn only_nonces_are_signed() {
        let signer = signer(SignIn::Plain);
        for bytes in [&b""[..], b"short", b"abcdefghij{", b"GET\n/v1/inbox/a", &[b'a'; 25]] {
            assert!(signer.answer(bytes).is_err());
        }
    }
}
