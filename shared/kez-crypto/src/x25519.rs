//! The X25519 keys that belong to Ed25519 keys, for sealing to an identity.

use curve25519_dalek::scalar::clamp_integer;
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use crate::{Fault, PublicKey, SecretKey};

/// The X25519 secret key of an identity: clamp(SHA-512(seed)[0..32]) (protocol section 1, RFC 7748 section 5).
pub fn x25519_secret(key: &SecretKey) -> Zeroizing<[u8; 32]> {
    let digest = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(key.seed())));
    let mut half = Zeroizing::new([0; 32]);
    half.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    Zeroizing::new(clamp_integer(*half))
}

/// The X25519 public key of an identity: (1 + y) / (1 − y) (protocol section 1, RFC 7748 section 4.1).
///
/// # Errors
/// [`Fault::Malformed`] when the bytes are not the canonical encoding of a point, or the point is of small order.
pub fn x25519_public(key: &PublicKey) -> Result<[u8; 32], Fault> {
    let point = VerifyingKey::from_bytes(key.as_bytes()).map_err(|_| Fault::Malformed)?;
    if !key.is_canonical() || point.is_weak() {
        return Err(Fault::Malformed);
    }
    Ok(point.to_montgomery().to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_belongs_to_secret() {
        for byte in 0..32 {
            let key = SecretKey::from_seed([byte; 32]);
            let secret = x25519_dalek::StaticSecret::from(*x25519_secret(&key));
            let public = x25519_dalek::PublicKey::from(&secret);
            assert_eq!(x25519_public(&key.public()), Ok(public.to_bytes()));
        }
    }

    #[test]
    fn refuses_points_of_small_order() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(x25519_public(&PublicKey::from_bytes(identity)), Err(Fault::Malformed));
        assert_eq!(x25519_public(&PublicKey::from_bytes([0; 32])), Err(Fault::Malformed));
    }
}
