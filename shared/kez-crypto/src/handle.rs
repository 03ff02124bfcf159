//! Handles: the names that people register at a server.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Fault;

/// Names that speak for the server or for mail, which nobody may register (protocol section 1, RFC 2142).
const RESERVED: [&str; 25] = [
    "abuse",
    "admin",
    "administrator",
    "anonymous",
    "api",
    "help",
    "hostmaster",
    "kez",
    "mail",
    "mailer-daemon",
    "moderator",
    "no-reply",
    "nobody",
    "noreply",
    "null",
    "official",
    "postmaster",
    "root",
    "security",
    "staff",
    "support",
    "system",
    "undefined",
    "webmaster",
    "www",
];

/// The part of a full handle before `@`: 3–32 characters of `a-z 0-9 _ -`, the first a letter or digit, not reserved.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Handle(String);

impl Handle {
    /// Reads a handle (protocol section 1).
    ///
    /// # Errors
    /// [`Fault::InvalidHandle`] when it breaks the rule, [`Fault::ReservedHandle`] when it is kept for the server.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if !(3..=32).contains(&text.len()) || !text.bytes().all(allowed) || text.starts_with(['_', '-']) {
            return Err(Fault::InvalidHandle);
        }
        if RESERVED.contains(&text) {
            return Err(Fault::ReservedHandle);
        }
        Ok(Self(text.into()))
    }

    /// The handle's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Handle {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Handle {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::parse(text)
    }
}

impl Serialize for Handle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A handle with the server that knows it: `alice@kez.lat`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FullHandle {
    /// The part before `@`.
    pub handle: Handle,
    /// The server's domain, with a port where it has one.
    pub server: String,
}

impl FullHandle {
    /// Splits `handle@server`.
    ///
    /// # Errors
    /// [`Fault::InvalidHandle`] without an `@`, or with a server that is no lower-case domain (with `:port` or
    /// without); the faults of [`Handle::parse`].
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (handle, server) = text.split_once('@').ok_or(Fault::InvalidHandle)?;
        if !is_server(server) {
            return Err(Fault::InvalidHandle);
        }
        Ok(Self { handle: Handle::parse(handle)?, server: server.into() })
    }
}

impl fmt::Display for FullHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.handle, self.server)
    }
}

/// Whether this is a domain of dot-separated labels, at most 253 bytes, and perhaps a port.
fn is_server(server: &str) -> bool {
    let (domain, port) = server.split_once(':').map_or((server, "0"), |(domain, port)| (domain, port));
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    domain.len() <= 253 && domain.split('.').all(is_label) && is_port
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_full_handles() {
        for text in ["alice@kez.lat", "a-b_c@localhost", "0day@localhost:8080"] {
            assert_eq!(FullHandle::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "alice",
            "alice@",
            "@kez.lat",
            "alice@kez..lat",
            "alice@Kez.lat",
            "alice@a@b",
            "alice@a:+1",
            "alice@a:",
        ] {
            assert_eq!(FullHandle::parse(text), Err(Fault::InvalidHandle), "{text}");
        }
        assert_eq!(FullHandle::parse("root@kez.lat"), Err(Fault::ReservedHandle));
    }

    #[test]
    fn reserved_names_obey_the_rule_themselves() {
        for name in RESERVED {
            assert_eq!(Handle::parse(name), Err(Fault::ReservedHandle), "{name}");
        }
    }
}
