//! HPKE (RFC 9180) as Kez uses it: base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.

use std::convert::Infallible;

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng,
};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::Sealed;
use crate::{Fault, PublicKey, SecretKey, x25519_public, x25519_secret};

type Suite = X25519HkdfSha256;

const INFO: &[u8] = b"kez-chat-msg-v2";

/// Seals a padded plaintext; the recipient's identity is authenticated with it.
pub(super) fn seal(plaintext: &[u8], to: &PublicKey, random: [u8; 32]) -> Result<Sealed, Fault> {
    let public = <Suite as Kem>::PublicKey::from_bytes(&x25519_public(to)?).map_err(|_| Fault::Malformed)?;
    let (enc, ct) = single_shot_seal_with_rng::<AesGcm256, HkdfSha256, Suite>(
        &OpModeS::Base,
        &public,
        INFO,
        plaintext,
        to.identifier().as_bytes(),
        &mut GivenBytes { block: random, taken: 0 },
    )
    .map_err(|_| Fault::Malformed)?;
    Ok(Sealed { enc: enc.to_bytes().into(), ct })
}

/// Opens a ciphertext to its padded plaintext.
pub(super) fn open(sealed: &Sealed, me: &SecretKey) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let secret =
        <Suite as Kem>::PrivateKey::from_bytes(&*x25519_secret(me)).map_err(|_| Fault::CannotOpen)?;
    let enc = <Suite as Kem>::EncappedKey::from_bytes(&sealed.enc).map_err(|_| Fault::CannotOpen)?;
    single_shot_open::<AesGcm256, HkdfSha256, Suite>(
        &OpModeR::Base,
        &secret,
        &enc,
        INFO,
        &sealed.ct,
        me.public().identifier().as_bytes(),
    )
    .map(Zeroizing::new)
    .map_err(|_| Fault::CannotOpen)
}

/// A random source that yields the 32 bytes it was given, and then, should anyone ask for more, their SHA-256 chain.
#[derive(Zeroize, ZeroizeOnDrop)]
struct GivenBytes {
    block: [u8; 32],
    taken: usize,
}

impl GivenBytes {
    fn next_byte(&mut self) -> u8 {
        if self.taken == self.block.len() {
            self.block = Sha256::digest(self.block).into();
            self.taken = 0;
        }
        let byte = self.block.get(self.taken).copied().unwrap_or_default();
        self.taken += 1;
        byte
    }
}

impl TryRng for GivenBytes {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes([0; 4].map(|_: u8| self.next_byte())))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes([0; 8].map(|_: u8| self.next_byte())))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.iter_mut().for_each(|byte| *byte = self.next_byte());
        Ok(())
    }
}

impl TryCryptoRng for GivenBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yields_the_given_bytes_first() {
        let mut source = GivenBytes { block: [9; 32], taken: 0 };
        let mut bytes = [0; 48];
        source.try_fill_bytes(&mut bytes).unwrap();
        assert!(bytes.starts_with(&[9; 32]));
        assert!([[9; 32], Sha256::digest([9; 32]).into()].concat().starts_with(&bytes));
    }
}
