//! Who speaks: an identity with its own key, or one of its devices with the device's.

use kez_contract::{Code, Problem};
use kez_crypto::{PublicKey, SecretKey};

/// A key, and the identity that it speaks for.
#[derive(Clone)]
pub struct Speaker {
    key: SecretKey,
    primary: PublicKey,
}

impl Speaker {
    /// A device of `primary`. Whether it is one is for the sigchain of `primary` to say.
    pub fn device(key: &SecretKey, primary: PublicKey) -> Self {
        Self { key: key.clone(), primary }
    }

    /// The identity.
    pub fn primary(&self) -> PublicKey {
        self.primary
    }

    /// The key that signs.
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// The device that signs, if it is not the identity itself.
    pub fn as_device(&self) -> Option<PublicKey> {
        Some(self.key.public()).filter(|key| *key != self.primary)
    }

    /// The identity's own key, for what no device may sign.
    pub fn own_key(&self, what: &str) -> Result<&SecretKey, Problem> {
        match self.as_device() {
            None => Ok(&self.key),
            Some(_) => Err(Problem::new(
                Code::KeyMismatch,
                format!("only the identity's own key can {what}, and this is one of its devices"),
            )),
        }
    }
}

impl From<&SecretKey> for Speaker {
    fn from(key: &SecretKey) -> Self {
        Self { key: key.clone(), primary: key.public() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_told_from_the_identity_itself() {
        let (identity, laptop) = (SecretKey::from_seed([1; 32]), SecretKey::from_seed([2; 32]));
        let itself = Speaker::from(&identity);
        assert_eq!((itself.primary(), itself.as_device()), (identity.public(), None));
        assert!(itself.own_key("register").is_ok());

        let device = Speaker::device(&laptop, identity.public());
        assert_eq!((device.primary(), device.as_device()), (identity.public(), Some(laptop.public())));
        assert_eq!(device.own_key("register").err().map(|problem| problem.code), Some(Code::KeyMismatch));
        assert_eq!(Speaker::device(&identity, identity.public()).as_device(), None);
    }
}
