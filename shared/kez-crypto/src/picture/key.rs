//! The key of one picture, which its owner gives to contacts.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::Fault;

/// The 32 secret bytes that a picture is sealed under and its preview shuffled by; zeroized when dropped.
#[derive(Clone, Eq, PartialEq, Zeroize, ZeroizeOnDrop)]
pub struct PictureKey([u8; 32]);

impl PictureKey {
    /// The key of these 32 bytes, which are random and of this picture alone.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 secret bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads base64url of 32 bytes.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for every other text.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let mut bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Fault::Malformed)?;
        let key = bytes.as_slice().try_into().map(Self).map_err(|_| Fault::Malformed);
        bytes.zeroize();
        key
    }

    /// The key as base64url, as messages carry it.
    pub fn to_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Debug for PictureKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PictureKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        insta::assert_debug_snapshot!(PictureKey::from_bytes([0x42; 32]), @"PictureKey(..)");
    }
}
