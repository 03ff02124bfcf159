//! Primaries: the keys that identities hang from, of either algorithm (protocol section 1).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Fault, NostrKey, NostrSecret, PublicKey, SecretKey};

const ED25519: &str = "ed25519-sha512-jcs";
const NOSTR: &str = "nostr-secp256k1-schnorr-sha256-jcs";

/// The key that an identity hangs from. Chat takes Ed25519 only; claims and sigchains take both.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Primary {
    /// `ed25519:<64 lower-case hex>`.
    Ed25519(PublicKey),
    /// `nostr:npub1…`.
    Nostr(NostrKey),
}

impl Primary {
    /// Reads an identifier `ed25519:<64 lower-case hex>` or `nostr:npub1…`.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for every other text.
    pub fn parse(identifier: &str) -> Result<Self, Fault> {
        match identifier.split_once(':') {
            Some(("ed25519", hex)) => PublicKey::from_hex(hex).map(Self::Ed25519),
            Some(("nostr", npub)) => NostrKey::from_npub(npub).map(Self::Nostr),
            _ => Err(Fault::Malformed),
        }
    }

    /// The part of the identifier before the colon.
    pub fn system(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "ed25519",
            Self::Nostr(_) => "nostr",
        }
    }

    /// The part of the identifier after the colon: 64 lower-case hexadecimal digits, or `npub1…`.
    pub fn name(&self) -> String {
        match self {
            Self::Ed25519(key) => key.to_hex(),
            Self::Nostr(key) => key.npub(),
        }
    }

    /// The key, if it is one that chat takes.
    pub fn ed25519(&self) -> Option<PublicKey> {
        match self {
            Self::Ed25519(key) => Some(*key),
            Self::Nostr(_) => None,
        }
    }

    /// The signature algorithm's name, as it stands in envelopes (protocol section 3).
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => ED25519,
            Self::Nostr(_) => NOSTR,
        }
    }

    /// Checks the primary's own signature under its algorithm's rule.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), Fault> {
        match self {
            Self::Ed25519(key) => key.verify_strict(message, signature),
            Self::Nostr(key) => key.verify(message, signature),
        }
    }
}

impl From<PublicKey> for Primary {
    fn from(key: PublicKey) -> Self {
        Self::Ed25519(key)
    }
}

impl From<NostrKey> for Primary {
    fn from(key: NostrKey) -> Self {
        Self::Nostr(key)
    }
}

impl fmt::Display for Primary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519(key) => key.fmt(f),
            Self::Nostr(key) => key.fmt(f),
        }
    }
}

impl fmt::Debug for Primary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519(key) => key.fmt(f),
            Self::Nostr(key) => key.fmt(f),
        }
    }
}

impl Serialize for Primary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Primary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A secret key of either algorithm, lent to what signs with it: pass `&SecretKey` or `&NostrSecret`.
#[derive(Clone, Copy, Debug)]
pub enum Signer<'a> {
    /// Signs as `ed25519:…`.
    Ed25519(&'a SecretKey),
    /// Signs as `nostr:…`.
    Nostr(&'a NostrSecret),
}

impl Signer<'_> {
    /// The identity that the key signs as.
    pub fn public(&self) -> Primary {
        match self {
            Self::Ed25519(secret) => secret.public().into(),
            Self::Nostr(secret) => secret.public().into(),
        }
    }

    /// Signs with the key's own algorithm (protocol section 3).
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        match self {
            Self::Ed25519(secret) => secret.sign(message),
            Self::Nostr(secret) => secret.sign(message),
        }
    }
}

impl<'a> From<&'a SecretKey> for Signer<'a> {
    fn from(secret: &'a SecretKey) -> Self {
        Self::Ed25519(secret)
    }
}

impl<'a> From<&'a NostrSecret> for Signer<'a> {
    fn from(secret: &'a NostrSecret) -> Self {
        Self::Nostr(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_systems_and_no_other() {
        let ed25519 = Primary::from(PublicKey::from_bytes([7; 32]));
        let nostr = Primary::from(NostrKey::from_bytes([7; 32]));
        for primary in [ed25519, nostr] {
            let text = primary.to_string();
            assert_eq!(format!("{}:{}", primary.system(), primary.name()), text);
            assert_eq!(Primary::parse(&text), Ok(primary));
            assert_eq!(Primary::parse(&text.to_uppercase()), Err(Fault::Malformed));
            assert_eq!(serde_json::from_value::<Primary>(serde_json::json!(primary)).ok(), Some(primary));
        }
        assert_eq!([ed25519.ed25519().is_some(), nostr.ed25519().is_some()], [true, false]);
        for text in ["", "nostr", "nostr:", "nostr:npub1qqqqqq", "ed25519:npub1", "github:tudisco"] {
            assert_eq!(Primary::parse(text), Err(Fault::Malformed), "{text}");
        }
    }

    #[test]
    fn debug_is_short() {
        let keys = [PublicKey::from_bytes([0xab; 32]).into(), Primary::Nostr(NostrKey::from_bytes([7; 32]))];
        insta::assert_compact_debug_snapshot!(keys, @"[PublicKey(abababab…), NostrKey(07070707…)]");
    }
}
