//! The text of a sealed message, checked without decoding: this runs on every message that a server carries.
//!
//! It takes exactly what [`crate::json::parse`] and a check of the three members would take.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::padding::BLOCK;
use super::{MAX_BYTES, VERSION};
use crate::Fault;
use crate::json::MAX_INTEGER;

/// The length of AES-256-GCM's tag.
const TAG: usize = 16;

/// The two texts of a sealed message of version 2, both well-formed base64url.
pub(super) struct Text<'a> {
    pub(super) enc: Cow<'a, str>,
    pub(super) ct: Cow<'a, str>,
}

impl<'a> Text<'a> {
    pub(super) fn parse(sealed: &'a [u8]) -> Result<Self, Fault> {
        if sealed.len() > MAX_BYTES {
            return Err(Fault::TooLarge);
        }
        let Members { v, enc, ct } = serde_json::from_slice(sealed).map_err(|_| Fault::Malformed)?;
        let enc_length = decoded_length(&enc).ok_or(Fault::Malformed)?;
        let ct_length = decoded_length(&ct).ok_or(Fault::Malformed)?;
        if enc_length != 32 || ct_length < BLOCK + TAG || ct_length % BLOCK != TAG {
            return Err(Fault::Malformed);
        }
        if v == VERSION { Ok(Self { enc, ct }) } else { Err(Fault::UnsupportedVersion) }
    }

    /// The JCS text: the members in order, and nothing in base64url needs an escape.
    pub(super) fn canonical(&self) -> Vec<u8> {
        let parts = ["{\"ct\":\"", &self.ct, "\",\"enc\":\"", &self.enc, "\",\"v\":2}"];
        parts.concat().into_bytes()
    }
}

/// How many bytes a base64url text without padding characters holds; none if it is not the one text for them.
fn decoded_length(text: &str) -> Option<usize> {
    // Without a branch a letter, so that the compiler checks many at once.
    if !text.bytes().fold(true, |all, letter| all & is_letter(letter)) {
        return None;
    }
    let last = text.bytes().next_back().map_or(Some(0), sextet)?;
    // The low bits of the last letter may be left over, and must then be zero.
    let unused_bits = match text.len() % 4 {
        0 => 0,
        2 => 4,
        3 => 2,
        _ => return None,
    };
    (last.trailing_zeros() >= unused_bits).then_some(text.len() / 4 * 3 + text.len() % 4 * 3 / 4)
}

fn is_letter(letter: u8) -> bool {
    let digit = letter.wrapping_sub(b'0') < 10;
    let alphabetic = (letter | 0x20).wrapping_sub(b'a') < 26;
    digit | alphabetic | (letter == b'-') | (letter == b'_')
}

fn sextet(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

struct Members<'a> {
    v: i64,
    enc: Cow<'a, str>,
    ct: Cow<'a, str>,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sealed message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members<'de>, A::Error> {
        let (mut v, mut enc, mut ct) = (None, None, None);
        while let Some(Borrowed(name)) = members.next_key()? {
            let twice = match &*name {
                "v" => v.replace(members.next_value::<Version>()?.0).is_some(),
                "enc" => enc.replace(members.next_value::<Borrowed<'de>>()?.0).is_some(),
                "ct" => ct.replace(members.next_value::<Borrowed<'de>>()?.0).is_some(),
                _ => true,
            };
            if twice {
                return Err(A::Error::custom("unknown or duplicate member"));
            }
        }
        match (v, enc, ct) {
            (Some(v), Some(enc), Some(ct)) => Ok(Members { v, enc, ct }),
            _ => Err(A::Error::custom("missing member")),
        }
    }
}

/// A text that is copied only where it holds escapes.
struct Borrowed<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Borrowed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(BorrowedVisitor)
    }
}

struct BorrowedVisitor;

impl<'de> Visitor<'de> for BorrowedVisitor {
    type Value = Borrowed<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Borrowed<'de>, E> {
        Ok(Borrowed(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Borrowed<'de>, E> {
        Ok(Borrowed(Cow::Owned(text.into())))
    }
}

/// A strict integer: `2.0` and `2e0` arrive as floats, which this does not take.
struct Version(i64);

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(VersionVisitor)
    }
}

struct VersionVisitor;

impl Visitor<'_> for VersionVisitor {
    type Value = Version;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Version, E> {
        if (-MAX_INTEGER..=MAX_INTEGER).contains(&value) {
            Ok(Version(value))
        } else {
            Err(E::custom("integer out of range"))
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Version, E> {
        self.visit_i64(i64::try_from(value).map_err(E::custom)?)
    }
}
