//! Identifiers: `system:name`, the accounts and keys that people claim.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Fault, Primary, PublicKey};

/// The longest identifier, in bytes.
const MAX_LENGTH: usize = 512;

/// An identifier such as `github:tudisco` or `ed25519:<hex>` (protocol section 1); unknown systems are kept.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Identifier {
    text: String,
    colon: usize,
}

impl Identifier {
    /// Reads `system:name`; the alias `mastodon:` becomes `ap:`.
    ///
    /// # Errors
    /// [`Fault::Malformed`] when the system is left out or not of `a-z 0-9`, the name is empty, holds white space or
    /// control characters, or does not fit a known system, and beyond 512 bytes.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (system, name) = text.split_once(':').ok_or(Fault::Malformed)?;
        let fits = text.len() <= MAX_LENGTH && is_system(system) && is_name(name) && suits(system, name);
        if !fits {
            return Err(Fault::Malformed);
        }
        let system = if system == "mastodon" { "ap" } else { system };
        Ok(Self { text: format!("{system}:{name}"), colon: system.len() })
    }

    /// The part before the first colon, such as `github`.
    pub fn system(&self) -> &str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    /// The part after the first colon, such as `tudisco`.
    pub fn name(&self) -> &str {
        self.text.get(self.colon + 1..).unwrap_or_default()
    }

    /// The whole text, `system:name`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The key that it names, which a `nostr:` name may fail to be: a subject that nobody can prove is still a subject,
    /// or two readers of one sigchain would come to differ over a typing mistake.
    pub fn primary(&self) -> Option<Primary> {
        Primary::parse(&self.text).ok()
    }
}

impl From<PublicKey> for Identifier {
    fn from(key: PublicKey) -> Self {
        Primary::from(key).into()
    }
}

impl From<Primary> for Identifier {
    fn from(key: Primary) -> Self {
        Self { text: key.to_string(), colon: key.system().len() }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Identifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Identifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn is_system(system: &str) -> bool {
    (1..=32).contains(&system.len())
        && system.starts_with(|first: char| first.is_ascii_lowercase())
        && system.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|character: char| character.is_whitespace() || character.is_control())
}

/// Whether the name has the form that its system asks for, where this crate knows it.
fn suits(system: &str, name: &str) -> bool {
    match system {
        "ed25519" => PublicKey::from_hex(name).is_ok(),
        "nostr" => name.starts_with("npub1"),
        "web" => name.strip_prefix("https://").is_some_and(|rest| !rest.is_empty()),
        "ap" | "mastodon" => {
            name.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NostrKey;

    #[test]
    fn reads_every_known_system() {
        let key = format!("ed25519:{}", "0a".repeat(32));
        for text in [
            &key,
            "github:tudisco",
            "dns:kez.lat",
            "web:https://kez.lat",
            "ap:tudisco@social.example",
            "bluesky:name.bsky.social",
            "nostr:npub1qqqqqq",
            "matrix:@a:b.example",
        ] {
            let identifier = Identifier::parse(text).unwrap();
            assert_eq!(identifier.as_str(), text);
            assert_eq!(format!("{}:{}", identifier.system(), identifier.name()), text);
        }
    }

    #[test]
    fn names_keys() {
        for key in [Primary::Ed25519(PublicKey::from_bytes([7; 32])), NostrKey::from_bytes([7; 32]).into()] {
            let identifier = Identifier::from(key);
            assert_eq!(Identifier::parse(identifier.as_str()), Ok(identifier.clone()));
            assert_eq!((identifier.system(), identifier.primary()), (key.system(), Some(key)));
        }
        for text in ["nostr:npub1qqqqqq", "github:tudisco"] {
            assert_eq!(Identifier::parse(text).map(|identifier| identifier.primary()), Ok(None));
        }
    }

    #[test]
    fn mastodon_is_an_alias() {
        assert_eq!(Identifier::parse("mastodon:a@b.example"), Identifier::parse("ap:a@b.example"));
    }

    #[test]
    fn refuses_what_has_no_system_or_name() {
        let long = format!("github:{}", "a".repeat(512));
        for text in
            ["", "tudisco", ":tudisco", "github:", "GitHub:x", "git hub:x", "github:a b", "github:a\n", &long]
        {
            assert_eq!(Identifier::parse(text), Err(Fault::Malformed), "{text}");
        }
        for text in ["ed25519:ab", "nostr:abc", "web:http://kez.lat", "web:https://", "ap:tudisco", "9p:x"] {
            assert_eq!(Identifier::parse(text), Err(Fault::Malformed), "{text}");
        }
    }
}
