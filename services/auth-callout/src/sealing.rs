//! Requests come sealed from nats-server's curve key to ours, and answers go back the same way (NATS "xkeys", `xkv1`).
//!
//! The shared secret of two curve keys costs more than all else about a box, and there are only as many server keys as
//! servers: it is computed once for each.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Result, anyhow};
use bytes::Bytes;
use crypto_box::aead::Aead;
use crypto_box::{PublicKey, SalsaBox, SecretKey};
use kez_service::random;

use crate::refusal::Unreadable;

/// What a box begins with; then its nonce, then the ciphertext of XSalsa20-Poly1305.
const VERSION: &[u8; 4] = b"xkv1";
const NONCE: usize = 24;
/// A curve key's type in an nkey.
const CURVE: u8 = 23 << 3;
/// Servers whose secret is kept. A server draws its key when it starts, so the old ones must go some time.
const SERVERS: usize = 64;

pub struct Sealing {
    secret: SecretKey,
    servers: RwLock<HashMap<String, Sealed>>,
}

/// What is sealed between one server and us.
#[derive(Clone)]
pub struct Sealed(Arc<SalsaBox>);

impl Sealing {
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret: SecretKey::from_bytes(secret), servers: RwLock::default() }
    }

    /// Opens a request sealed from `server_xkey` (X…), and keeps what its answer will be sealed with.
    pub fn open(&self, server_xkey: &str, boxed: &[u8]) -> Result<(Vec<u8>, Sealed), Unreadable> {
        let boxed = boxed.strip_prefix(VERSION).ok_or(Unreadable::NotSealed)?;
        let (nonce, ciphertext) = boxed.split_first_chunk::<NONCE>().ok_or(Unreadable::CannotOpen)?;
        let known = self.servers.read().unwrap_or_else(PoisonError::into_inner).get(server_xkey).cloned();
        let sealed = match &known {
            Some(sealed) => sealed.clone(),
            None => self.agree(server_xkey)?,
        };
        let opened = sealed.0.decrypt(nonce.into(), ciphertext).map_err(|_| Unreadable::CannotOpen)?;
        if known.is_none() {
            self.remember(server_xkey, sealed.clone());
        }
        Ok((opened, sealed))
    }

    fn agree(&self, server_xkey: &str) -> Result<Sealed, Unreadable> {
        match nkeys::from_public_key(server_xkey) {
            Ok((CURVE, key)) => {
                Ok(Sealed(Arc::new(SalsaBox::new(&PublicKey::from_bytes(key), &self.secret))))
            }
            _ => Err(Unreadable::NoXkey),
        }
    }

    fn remember(&self, server_xkey: &str, sealed: Sealed) {
        let mut servers = self.servers.write().unwrap_or_else(PoisonError::into_inner);
        if servers.len() >= SERVERS {
            servers.clear();
        }
        servers.insert(server_xkey.to_owned(), sealed);
    }
}

impl Sealed {
    /// Seals an answer.
    pub fn seal(&self, answer: &[u8]) -> Result<Bytes> {
        let nonce: [u8; NONCE] = random::bytes();
        let ciphertext =
            self.0.encrypt(&nonce.into(), answer).map_err(|_| anyhow!("an answer cannot be sealed"))?;
        Ok([VERSION.as_slice(), &nonce, &ciphertext].concat().into())
    }
}

#[cfg(test)]
mod tests {
    use nkeys::XKey;

    use super::*;

    fn pair() -> (Sealing, XKey) {
        let secret = random::bytes();
        (Sealing::new(secret), XKey::new_from_raw(secret))
    }

    #[test]
    fn boxes_are_those_of_nkeys() {
        let (ours, our_xkey) = pair();
        let server = XKey::new();
        // Twice: with the secret just computed, and with the one that was kept.
        for _ in 0..2 {
            let (opened, sealed) =
                ours.open(&server.public_key(), &server.seal(b"who?", &our_xkey).unwrap()).unwrap();
            assert_eq!(opened, b"who?");
            assert_eq!(server.open(&sealed.seal(b"alice").unwrap(), &our_xkey).unwrap(), b"alice");
        }
    }

    #[test]
    fn what_others_seal_is_not_opened() {
        let (ours, our_xkey) = pair();
        let (server, stranger) = (XKey::new(), XKey::new());
        let boxed = server.seal(b"who?", &our_xkey).unwrap();
        let open = |xkey: &str, boxed: &[u8]| ours.open(xkey, boxed).err();
        assert_eq!(open(&stranger.public_key(), &boxed), Some(Unreadable::CannotOpen));
        assert_eq!(
            open(&server.public_key(), &server.seal(b"who?", &stranger).unwrap()),
            Some(Unreadable::CannotOpen)
        );
        assert_eq!(open("", &boxed), Some(Unreadable::NoXkey));
        assert_eq!(open(&nkeys::KeyPair::new_user().public_key(), &boxed), Some(Unreadable::NoXkey));
        for length in 0..boxed.len() {
            assert!(open(&server.public_key(), &boxed[..length]).is_some(), "{length}");
        }
        for position in 0..boxed.len() {
            let mut damaged = boxed.clone();
            damaged[position] ^= 1;
            assert!(open(&server.public_key(), &damaged).is_some(), "{position}");
        }
    }

    #[test]
    fn strangers_fill_no_memory() {
        let (ours, our_xkey) = pair();
        for _ in 0..2 * SERVERS {
            let server = XKey::new();
            ours.open(&server.public_key(), &server.seal(b"who?", &our_xkey).unwrap()).unwrap();
            ours.open(&XKey::new().public_key(), &server.seal(b"who?", &our_xkey).unwrap()).err().unwrap();
        }
        assert!(ours.servers.read().unwrap().len() <= SERVERS);
    }
}
