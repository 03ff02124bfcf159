//! Secret keys: what makes someone who they are. They leave memory when dropped and never print.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey};

use crate::PublicKey;

/// An Ed25519 secret key, grown from its 32-byte seed (RFC 8032, 5.1.5); zeroized when dropped.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key that grows from these 32 secret bytes.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = zeroize::Zeroizing::new(seed);
        Self(SigningKey::from_bytes(&seed))
    }

    /// The 32 secret bytes. Whoever copies them must zeroize the copy.
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> PublicKey {
        PublicKey::from_bytes(self.0.verifying_key().to_bytes())
    }

    /// Signs a message with pure Ed25519 (RFC 8032, 5.1.6): 64 bytes, R then s.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        insta::assert_debug_snapshot!(SecretKey::from_seed([0x42; 32]), @"SecretKey(of PublicKey(2152f8d1…))");
    }

    #[test]
    fn signs_what_verifies() {
        let key = SecretKey::from_seed([1; 32]);
        let signature = key.sign(b"hello");
        assert_eq!(key.public().verify_strict(b"hello", &signature), Ok(()));
        assert!(key.public().verify_strict(b"hellO", &signature).is_err());
    }
}
