//! Public keys: who someone is.

use std::borrow::Cow;
use std::fmt;

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Fault, nkey};

/// An Ed25519 public key: 32 bytes that become a curve point only when a signature is checked.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key with these 32 bytes (RFC 8032, 5.1.2).
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads exactly 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for every other text.
    pub fn from_hex(hex: &str) -> Result<Self, Fault> {
        let bytes = HEXLOWER.decode(hex.as_bytes()).map_err(|_| Fault::Malformed)?;
        bytes.try_into().map(Self).map_err(|_| Fault::Malformed)
    }

    /// The key as 64 lower-case hexadecimal digits.
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// Reads an identifier `ed25519:<64 lower-case hex>` (protocol section 1).
    ///
    /// # Errors
    /// [`Fault::UnsupportedKey`] for `nostr:…`, [`Fault::Malformed`] for every other text.
    pub fn parse(identifier: &str) -> Result<Self, Fault> {
        match identifier.split_once(':') {
            Some(("ed25519", hex)) => Self::from_hex(hex),
            Some(("nostr", _)) => Err(Fault::UnsupportedKey),
            _ => Err(Fault::Malformed),
        }
    }

    /// The key as an identifier, `ed25519:<hex>`.
    pub fn identifier(&self) -> String {
        self.to_string()
    }

    /// The key as a NATS user nkey, `U…` (protocol section 1).
    pub fn nkey(&self) -> String {
        nkey::encode(&self.0)
    }

    /// Reads a NATS user nkey.
    ///
    /// # Errors
    /// [`Fault::Malformed`] unless the text is of type `U`, its checksum holds and it is the canonical text.
    pub fn from_nkey(text: &str) -> Result<Self, Fault> {
        nkey::decode(text).map(Self)
    }

    /// Checks an Ed25519 signature strictly (protocol section 3): canonical encodings, s < L, small-order A and R
    /// refused, no cofactor.
    ///
    /// # Errors
    /// [`Fault::BadSignature`] when anything of that fails, also when the key is not a point of the curve.
    pub fn verify_strict(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), Fault> {
        // dalek checks all but the canonical encoding of A: R is compared with a compressed point.
        if !self.is_canonical() {
            return Err(Fault::BadSignature);
        }
        VerifyingKey::from_bytes(&self.0)
            .and_then(|key| key.verify_strict(message, &Signature::from_bytes(signature)))
            .map_err(|_| Fault::BadSignature)
    }

    /// Whether the y coordinate is below p = 2^255 − 19. (An x of zero with its sign bit set is of small order,
    /// so it is refused elsewhere.)
    pub(crate) fn is_canonical(&self) -> bool {
        let [first, middle @ .., last] = &self.0;
        *first < 0xed || middle.iter().any(|byte| *byte != 0xff) || last & 0x7f != 0x7f
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ed25519:{}", self.to_hex())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "PublicKey({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_identifiers_exactly() {
        let text = format!("ed25519:{}", "ab".repeat(32));
        assert_eq!(PublicKey::parse(&text).map(|key| key.identifier()), Ok(text.clone()));
        assert_eq!(PublicKey::parse("nostr:npub1qqq"), Err(Fault::UnsupportedKey));
        for other in [
            text.to_uppercase().as_str(),
            &text.replace("ab", "AB"),
            &text[8..],
            &text[..71],
            "",
            ":",
            "ed25519:",
        ] {
            assert_eq!(PublicKey::parse(other), Err(Fault::Malformed), "{other}");
        }
    }

    #[test]
    fn refuses_encodings_beyond_the_field() {
        let mut bytes = [0xff; 32];
        for (first, canonical) in [(0xec, true), (0xed, false), (0xff, false)] {
            bytes[0] = first;
            assert_eq!(PublicKey::from_bytes(bytes).is_canonical(), canonical);
        }
    }

    #[test]
    fn debug_is_short() {
        insta::assert_debug_snapshot!(PublicKey::from_bytes([0xab; 32]), @"PublicKey(abababab…)");
    }
}
