//! The format of the identity file: Argon2id makes a key of the passphrase, AES-256-GCM encrypts seed and phrase.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64URL_NOPAD;
use kez_crypto::{Phrase, PublicKey, json, phrase};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Identity, Passphrase};

const VERSION: u32 = 1;
const SEED: usize = 32;

/// What new files are made with: 64 MiB, three passes, one lane (RFC 9106, second recommendation, on one core).
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;

/// What files may ask for, so that none can take the machine's memory, or make guessing easy.
const MEMORY_ALLOWED: std::ops::RangeInclusive<u32> = 19 * 1024..=512 * 1024;
const PASSES_ALLOWED: std::ops::RangeInclusive<u32> = 1..=16;
const LANES_ALLOWED: std::ops::RangeInclusive<u32> = 1..=8;
const SALT_ALLOWED: std::ops::RangeInclusive<usize> = 16..=64;

/// Why a file does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("it does not have the members of one")]
    Malformed,
    #[error("its version is not known here; a newer kez may read it")]
    Version,
    #[error("its passphrase parameters are outside of what is allowed")]
    Parameters,
    #[error("the passphrase is wrong or the file was changed")]
    CannotOpen,
}

/// The file's content.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vault {
    v: u32,
    /// Whose key it is, `ed25519:<64 hex>`.
    primary: String,
    /// The identity that the key is a device of, when it is none itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device_of: Option<String>,
    kdf: Kdf,
    nonce: String,
    ciphertext: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    name: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

impl Vault {
    /// Reads a file. Whether its passphrase parameters are allowed is found out here, before anything is computed.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Fault> {
        let value = json::parse(text).map_err(|_| Fault::Malformed)?;
        if value.get("v").is_some_and(|version| *version != VERSION) {
            return Err(Fault::Version);
        }
        let vault: Self = serde_json::from_value(value).map_err(|_| Fault::Malformed)?;
        vault.kdf.check()?;
        vault.key()?;
        vault.device_of()?;
        Ok(vault)
    }

    /// Encrypts an identity.
    pub(super) fn seal(identity: &Identity, passphrase: &Passphrase) -> Result<Self, Fault> {
        let nonce_bytes: [u8; 12] = kez_service::random::bytes();
        let kdf = Kdf {
            name: "argon2id".to_owned(),
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt: BASE64URL_NOPAD.encode(&kez_service::random::bytes::<16>()),
        };
        let primary = identity.key.public().identifier();
        let nonce = BASE64URL_NOPAD.encode(&nonce_bytes);
        let device_of = identity.device_of.map(|primary| primary.identifier());
        let mut vault = Self { v: VERSION, primary, device_of, kdf, nonce, ciphertext: String::new() };
        let plaintext = plaintext(identity);
        let payload = Payload { msg: plaintext.as_slice(), aad: &vault.authenticated() };
        let cipher = vault.kdf.cipher(passphrase)?;
        let ciphertext = cipher.encrypt(&nonce_bytes.into(), payload).map_err(|_| Fault::CannotOpen)?;
        vault.ciphertext = BASE64URL_NOPAD.encode(&ciphertext);
        Ok(vault)
    }

    /// Decrypts the identity.
    pub(super) fn open(&self, passphrase: &Passphrase) -> Result<Identity, Fault> {
        let nonce: [u8; 12] = decode(&self.nonce)?.try_into().map_err(|_| Fault::Malformed)?;
        let ciphertext = decode(&self.ciphertext)?;
        let payload = Payload { msg: ciphertext.as_slice(), aad: &self.authenticated() };
        let cipher = self.kdf.cipher(passphrase)?;
        let plaintext =
            Zeroizing::new(cipher.decrypt(&nonce.into(), payload).map_err(|_| Fault::CannotOpen)?);
        let mut identity = identity(&plaintext)?;
        if PublicKey::parse(&self.primary) != Ok(identity.key.public()) {
            return Err(Fault::Malformed);
        }
        identity.device_of = self.device_of()?;
        Ok(identity)
    }

    /// Whose key it says it is.
    pub(super) fn key(&self) -> Result<PublicKey, Fault> {
        PublicKey::parse(&self.primary).map_err(|_| Fault::Malformed)
    }

    /// The identity that it says it is a device of.
    pub(super) fn device_of(&self) -> Result<Option<PublicKey>, Fault> {
        let named = self.device_of.as_deref();
        named.map(|primary| PublicKey::parse(primary).map_err(|_| Fault::Malformed)).transpose()
    }

    /// What is readable without the passphrase and proven by it.
    fn authenticated(&self) -> Vec<u8> {
        let Kdf { name, memory_kib, passes, lanes, salt } = &self.kdf;
        let kdf =
            json!({ "name": name, "memory_kib": memory_kib, "passes": passes, "lanes": lanes, "salt": salt });
        let mut readable = json!({ "v": self.v, "primary": self.primary, "kdf": kdf });
        if let (Some(primary), Some(members)) = (&self.device_of, readable.as_object_mut()) {
            members.insert("device_of".to_owned(), primary.as_str().into());
        }
        json::canonical(&readable)
    }

    /// The file's text.
    pub(super) fn to_text(&self) -> serde_json::Result<String> {
        Ok(format!("{}\n", serde_json::to_string_pretty(self)?))
    }
}

impl Kdf {
    fn check(&self) -> Result<(), Fault> {
        let allowed = self.name == "argon2id"
            && MEMORY_ALLOWED.contains(&self.memory_kib)
            && PASSES_ALLOWED.contains(&self.passes)
            && LANES_ALLOWED.contains(&self.lanes)
            && SALT_ALLOWED.contains(&decode(&self.salt)?.len());
        if allowed { Ok(()) } else { Err(Fault::Parameters) }
    }

    fn cipher(&self, passphrase: &Passphrase) -> Result<Aes256Gcm, Fault> {
        let params =
            Params::new(self.memory_kib, self.passes, self.lanes, None).map_err(|_| Fault::Parameters)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &decode(&self.salt)?, key.as_mut_slice())
            .map_err(|_| Fault::Parameters)?;
        Ok(Aes256Gcm::new(&(*key).into()))
    }
}

/// The seed, then the words of the phrase if there is one.
fn plaintext(identity: &Identity) -> Zeroizing<Vec<u8>> {
    // The longest phrase is 24 words of eight letters. Reserved, so that no copy of it is left behind by growing.
    let mut plaintext = Zeroizing::new(Vec::with_capacity(SEED + 24 * 9));
    plaintext.extend_from_slice(identity.key.seed());
    for (index, word) in identity.phrase.iter().flat_map(Phrase::words).enumerate() {
        if index > 0 {
            plaintext.push(b' ');
        }
        plaintext.extend_from_slice(word.as_bytes());
    }
    plaintext
}

fn identity(plaintext: &[u8]) -> Result<Identity, Fault> {
    let (seed, words) = plaintext.split_first_chunk::<SEED>().ok_or(Fault::Malformed)?;
    let seed = Zeroizing::new(*seed);
    if words.is_empty() {
        return Ok(Identity::of_seed(&seed));
    }
    let words = std::str::from_utf8(words).map_err(|_| Fault::Malformed)?;
    let phrase = phrase::parse(words).map_err(|_| Fault::Malformed)?;
    if *phrase.to_seed() == *seed { Ok(Identity::of_phrase(phrase)) } else { Err(Fault::Malformed) }
}

fn decode(text: &str) -> Result<Vec<u8>, Fault> {
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| Fault::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase() -> Passphrase {
        Passphrase::from("correct horse".to_owned())
    }

    fn sealed(identity: &Identity) -> serde_json::Value {
        serde_json::to_value(Vault::seal(identity, &passphrase()).unwrap()).unwrap()
    }

    fn opened(value: &serde_json::Value, passphrase: &Passphrase) -> Result<Identity, Fault> {
        Vault::parse(value.to_string().as_bytes())?.open(passphrase)
    }

    #[test]
    fn seed_and_phrase_come_back() {
        for identity in [
            Identity::of_phrase(phrase::generate_12([1; 16])),
            Identity::of_phrase(phrase::generate_24([2; 32])),
            Identity::of_seed(&Zeroizing::new([3; 32])),
        ] {
            let again = opened(&sealed(&identity), &passphrase()).unwrap();
            assert_eq!(again.key.seed(), identity.key.seed());
            assert_eq!(
                again.phrase.map(|phrase| phrase.words()),
                identity.phrase.map(|phrase| phrase.words())
            );
        }
    }

    #[test]
    fn a_device_remembers_whose_it_is() {
        let primary = Identity::of_seed(&Zeroizing::new([4; 32])).key.public();
        let seed = Zeroizing::new([3; 32]);
        let value = sealed(&Identity { device_of: Some(primary), ..Identity::of_seed(&seed) });
        assert_eq!(value["device_of"], primary.identifier());
        let again = opened(&value, &passphrase()).unwrap();
        assert_eq!((*again.key.seed(), again.device_of), (*seed, Some(primary)));

        // Nobody can make a device of an identity, or an identity of a device, or hand a device to another.
        let other = Identity::of_seed(&Zeroizing::new([5; 32])).key.public().identifier();
        for changed in [json!(null), json!(other), json!("nobody")] {
            let mut tampered = value.clone();
            tampered["device_of"] = changed;
            assert!(opened(&tampered, &passphrase()).is_err());
        }
        let mut tampered = sealed(&Identity::of_seed(&seed));
        tampered["device_of"] = primary.identifier().into();
        assert_eq!(opened(&tampered, &passphrase()).unwrap_err(), Fault::CannotOpen);
    }

    #[test]
    fn files_from_before_there_were_devices_open() {
        let file = include_str!("first_format.json");
        let identity = Vault::parse(file.as_bytes()).unwrap().open(&passphrase()).unwrap();
        assert_eq!((*identity.key.seed(), identity.device_of), ([3; 32], None));
    }

    #[test]
    fn another_passphrase_opens_nothing() {
        let value = sealed(&Identity::of_seed(&Zeroizing::new([3; 32])));
        let wrong = Passphrase::from("correct horsf".to_owned());
        assert_eq!(opened(&value, &wrong).unwrap_err(), Fault::CannotOpen);
    }

    #[test]
    fn every_member_is_authenticated() {
        let value = sealed(&Identity::of_seed(&Zeroizing::new([3; 32])));
        let other = Identity::of_seed(&Zeroizing::new([4; 32])).key.public().identifier();
        let changes: [(&str, serde_json::Value); 5] = [
            ("/primary", other.into()),
            ("/kdf/passes", 4.into()),
            ("/kdf/memory_kib", (32 * 1024).into()),
            ("/kdf/salt", BASE64URL_NOPAD.encode(&[0; 16]).into()),
            ("/nonce", BASE64URL_NOPAD.encode(&[0; 12]).into()),
        ];
        for (pointer, changed) in changes {
            let mut tampered = value.clone();
            *tampered.pointer_mut(pointer).unwrap() = changed;
            assert_eq!(opened(&tampered, &passphrase()).unwrap_err(), Fault::CannotOpen, "{pointer}");
        }
        let mut tampered = value.clone();
        let mut ciphertext = decode(value["ciphertext"].as_str().unwrap()).unwrap();
        ciphertext[0] ^= 1;
        tampered["ciphertext"] = BASE64URL_NOPAD.encode(&ciphertext).into();
        assert_eq!(opened(&tampered, &passphrase()).unwrap_err(), Fault::CannotOpen);
    }

    #[test]
    fn no_file_can_ask_for_all_memory_or_for_none() {
        let value = sealed(&Identity::of_seed(&Zeroizing::new([3; 32])));
        let changes: [(&str, serde_json::Value, Fault); 9] = [
            ("/kdf/memory_kib", u32::MAX.into(), Fault::Parameters),
            ("/kdf/memory_kib", 8.into(), Fault::Parameters),
            ("/kdf/passes", 1_000_000.into(), Fault::Parameters),
            ("/kdf/lanes", 64.into(), Fault::Parameters),
            ("/kdf/salt", "".into(), Fault::Parameters),
            ("/kdf/name", "argon2i".into(), Fault::Parameters),
            ("/v", 2.into(), Fault::Version),
            ("/nonce", 7.into(), Fault::Malformed),
            ("/kdf/passes", (-1).into(), Fault::Malformed),
        ];
        for (pointer, changed, fault) in changes {
            let mut tampered = value.clone();
            *tampered.pointer_mut(pointer).unwrap() = changed;
            assert_eq!(Vault::parse(tampered.to_string().as_bytes()).unwrap_err(), fault, "{pointer}");
        }
        let mut more = value;
        more["more"] = 1.into();
        assert_eq!(Vault::parse(more.to_string().as_bytes()).unwrap_err(), Fault::Malformed);
        assert_eq!(Vault::parse(b"nonsense").unwrap_err(), Fault::Malformed);
    }

    #[test]
    fn the_file_shows_no_secret() {
        let identity = Identity::of_phrase(phrase::generate_12([9; 16]));
        let text = Vault::seal(&identity, &passphrase()).unwrap().to_text().unwrap();
        let hex = data_encoding::HEXLOWER.encode(identity.key.seed());
        assert!(!text.contains(&hex) && !format!("{identity:?}").contains(&hex));
        assert!(!identity.phrase.unwrap().words().iter().any(|word| text.contains(word)));
    }
}
