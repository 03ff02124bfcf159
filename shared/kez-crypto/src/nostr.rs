//! Nostr keys: secp256k1 keys that sign with BIP-340 and are written as `npub1…` (NIP-19).

use std::fmt;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use k256::schnorr::signature::hazmat::{PrehashSigner, PrehashVerifier};
use k256::schnorr::{Signature, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Fault;

const PUBLIC: &str = "npub";
const SECRET: &str = "nsec";

/// A Nostr public key: the x coordinate of a secp256k1 point (BIP-340), 32 bytes that become a point only when a
/// signature is checked.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NostrKey([u8; 32]);

impl NostrKey {
    /// The key with these 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads `npub1…`: Bech32 (BIP-173) of the 32 bytes, in lower case.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for every other text, and for another text of the same key.
    pub fn from_npub(text: &str) -> Result<Self, Fault> {
        let key = Self(*decode(PUBLIC, text)?);
        if key.npub() == text { Ok(key) } else { Err(Fault::Malformed) }
    }

    /// The key as `npub1…`.
    pub fn npub(&self) -> String {
        // Bech32 fails for texts beyond its length only, which 32 bytes are not.
        bech32::encode_lower::<Bech32>(Hrp::parse_unchecked(PUBLIC), &self.0).unwrap_or_default()
    }

    /// Checks a signature `nostr-secp256k1-schnorr-sha256-jcs` (protocol section 3): BIP-340 over the message's SHA-256.
    ///
    /// # Errors
    /// [`Fault::BadSignature`] when it fails, also when the key is no point of the curve.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), Fault> {
        let key = VerifyingKey::from_bytes(&self.0.into()).map_err(|_| Fault::BadSignature)?;
        let signature = Signature::from_bytes(signature).map_err(|_| Fault::BadSignature)?;
        key.verify_prehash(&Sha256::digest(message), &signature).map_err(|_| Fault::BadSignature)
    }
}

impl fmt::Display for NostrKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nostr:{}", self.npub())
    }
}

impl fmt::Debug for NostrKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "NostrKey({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// A Nostr secret key; zeroized when dropped.
#[derive(Clone)]
pub struct NostrSecret(SigningKey);

impl NostrSecret {
    /// The key of these 32 secret bytes.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for zero and for what is not below the curve's order, which random bytes never are.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, Fault> {
        let bytes = Zeroizing::new(bytes);
        SigningKey::from_slice(&*bytes).map(Self).map_err(|_| Fault::Malformed)
    }

    /// Reads `nsec1…`: Bech32 (BIP-173) of the 32 secret bytes.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for every other text.
    pub fn from_nsec(text: &str) -> Result<Self, Fault> {
        Self::from_bytes(*decode(SECRET, text)?)
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> NostrKey {
        NostrKey(self.0.verifying_key().to_bytes().into())
    }

    /// Signs the message's SHA-256 with BIP-340, without auxiliary randomness, so that the same message has one
    /// signature: 64 bytes, R's x coordinate then s.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        // It fails when 256 nonces in a row are zero modulo the curve's order: never. Zeros verify for nobody.
        self.0
            .sign_prehash(&Sha256::digest(message))
            .map_or([0; 64], |signature: Signature| signature.to_bytes())
    }
}

impl fmt::Debug for NostrSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NostrSecret(of {:?})", self.public())
    }
}

/// The 32 bytes in a Bech32 text with this human-readable part.
fn decode(part: &str, text: &str) -> Result<Zeroizing<[u8; 32]>, Fault> {
    let decoded = CheckedHrpstring::new::<Bech32>(text).map_err(|_| Fault::Malformed)?;
    let mut bytes = Zeroizing::new([0; 32]);
    if decoded.hrp() != Hrp::parse_unchecked(part) || decoded.byte_iter().len() != bytes.len() {
        return Err(Fault::Malformed);
    }
    bytes.iter_mut().zip(decoded.byte_iter()).for_each(|(place, byte)| *place = byte);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of NIP-19, with its public key in hexadecimal digits.
    const NPUB: &str = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg";
    const HEX: &str = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e";

    #[test]
    fn reads_and_writes_npubs() {
        let key = NostrKey::from_npub(NPUB).unwrap();
        assert_eq!(data_encoding::HEXLOWER.encode(key.as_bytes()), HEX);
        assert_eq!(key.npub(), NPUB);
    }

    #[test]
    fn reads_nsecs() {
        let secret =
            NostrSecret::from_nsec("nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5");
        assert_eq!(secret.map(|secret| secret.public().npub()), Ok(NPUB.into()));
    }

    #[test]
    fn refuses_damage_and_other_texts() {
        for position in 0..NPUB.len() {
            for letter in ["q", "p", "b", "1", "Q", "7", "ü"] {
                let mut damaged = NPUB.to_owned();
                damaged.replace_range(position..=position, letter);
                assert_eq!(NostrKey::from_npub(&damaged).is_ok(), damaged == NPUB, "{damaged}");
            }
        }
        let bech32m =
            bech32::encode_lower::<bech32::Bech32m>(Hrp::parse_unchecked(PUBLIC), &[7; 32]).unwrap();
        let short = bech32::encode_lower::<Bech32>(Hrp::parse_unchecked(PUBLIC), &[7; 31]).unwrap();
        let nsec = bech32::encode_lower::<Bech32>(Hrp::parse_unchecked(SECRET), &[7; 32]).unwrap();
        for text in ["", "npub", "npub1", "npub1qqqqqq", HEX, &NPUB.to_uppercase(), &bech32m, &short, &nsec] {
            assert_eq!(NostrKey::from_npub(text), Err(Fault::Malformed), "{text}");
        }
        assert_eq!(NostrSecret::from_nsec(NPUB).err(), Some(Fault::Malformed));
        assert_eq!(NostrSecret::from_bytes([0; 32]).err(), Some(Fault::Malformed));
        assert_eq!(NostrSecret::from_bytes([0xff; 32]).err(), Some(Fault::Malformed));
    }

    #[test]
    fn signs_what_verifies() {
        let secret = NostrSecret::from_bytes([1; 32]).unwrap();
        let signature = secret.sign(b"hello");
        assert_eq!(secret.public().verify(b"hello", &signature), Ok(()));
        assert_eq!(secret.public().verify(b"hellO", &signature), Err(Fault::BadSignature));
        assert_eq!(NostrKey::from_bytes([7; 32]).verify(b"hello", &signature), Err(Fault::BadSignature));
        // No point of the curve has this x coordinate, nor this one, which is beyond the field.
        for bytes in [[0; 32], [0xff; 32]] {
            assert_eq!(NostrKey::from_bytes(bytes).verify(b"hello", &signature), Err(Fault::BadSignature));
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        insta::assert_debug_snapshot!(NostrSecret::from_bytes([1; 32]).unwrap(), @"NostrSecret(of NostrKey(1b84c556…))");
    }
}
