//! Profiles: how someone describes themselves (protocol section 3).

use serde_json::Value;

use crate::payload::{Members, payload, text};
use crate::{Fault, PublicKey, SecretKey, Signed, Tag, Timestamp};

const MAX_ENVELOPE_BYTES: usize = 64 * 1024;
const MAX_NAME_CHARACTERS: usize = 64;
const MAX_ABOUT_CHARACTERS: usize = 500;
const MAX_AHEAD_SECONDS: i64 = 5 * 60;

/// A profile whose signature, sizes and time hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Profile {
    /// The identity that is described.
    pub primary: PublicKey,
    /// The name to show, at most 64 characters.
    pub display_name: Option<String>,
    /// A few words, at most 500 characters.
    pub about: Option<String>,
    /// A picture, in whatever form clients agree on.
    pub picture: Option<Value>,
    /// When it was signed; the last one wins.
    pub updated_at: Timestamp,
}

impl Profile {
    /// Signs the profile of the key's identity; the envelope's JCS text.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] when a text or the envelope is longer than [`Profile::check`] takes.
    pub fn create(
        display_name: Option<&str>,
        about: Option<&str>,
        picture: Option<Value>,
        updated_at: Timestamp,
        key: &SecretKey,
    ) -> Result<Vec<u8>, Fault> {
        bounded(display_name, MAX_NAME_CHARACTERS)?;
        bounded(about, MAX_ABOUT_CHARACTERS)?;
        let members = payload([
            ("display_name", display_name.and_then(text)),
            ("about", about.and_then(text)),
            ("picture", picture),
            ("updated_at", text(&updated_at)),
        ]);
        let envelope = Signed::create(Tag::Profile, members, key).to_json();
        if envelope.len() > MAX_ENVELOPE_BYTES { Err(Fault::TooLarge) } else { Ok(envelope) }
    }

    /// Checks a profile.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] beyond 64 KiB; those of [`Signed::parse`]; [`Fault::Malformed`] for members of the wrong
    /// kind; [`Fault::TooLarge`] for texts beyond their lengths; [`Fault::StaleTimestamp`] when `updated_at` is more
    /// than five minutes ahead.
    pub fn check(envelope: &[u8], now: Timestamp) -> Result<Self, Fault> {
        if envelope.len() > MAX_ENVELOPE_BYTES {
            return Err(Fault::TooLarge);
        }
        let signed = Signed::parse(envelope, Tag::Profile)?;
        let members = Members(&signed.payload);
        let (display_name, about) = (members.optional_text("display_name")?, members.optional_text("about")?);
        let updated_at = members.time("updated_at")?;
        bounded(display_name, MAX_NAME_CHARACTERS)?;
        bounded(about, MAX_ABOUT_CHARACTERS)?;
        if updated_at.seconds_since(now) > MAX_AHEAD_SECONDS {
            return Err(Fault::StaleTimestamp);
        }
        Ok(Self {
            primary: signed.ed25519()?,
            display_name: display_name.map(Into::into),
            about: about.map(Into::into),
            picture: signed.payload.get("picture").cloned(),
            updated_at,
        })
    }
}

fn bounded(text: Option<&str>, characters: usize) -> Result<(), Fault> {
    match text {
        Some(text) if text.chars().nth(characters).is_some() => Err(Fault::TooLarge),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_779_678_000;

    #[test]
    fn reads_what_it_writes() {
        let (key, now) = (SecretKey::from_seed([1; 32]), Timestamp::from_unix(NOW));
        let picture = Some(serde_json::json!({"sha256": "00", "size": 7}));
        let envelope = Profile::create(Some("Älice"), None, picture.clone(), now, &key).unwrap();
        let profile = Profile::check(&envelope, now).unwrap();
        let expected = Profile {
            primary: key.public(),
            display_name: Some("Älice".into()),
            about: None,
            picture,
            updated_at: now,
        };
        assert_eq!(profile, expected);
    }

    #[test]
    fn texts_are_counted_in_characters() {
        let (key, now) = (SecretKey::from_seed([1; 32]), Timestamp::from_unix(NOW));
        let create = |name: usize, about: usize| {
            Profile::create(Some(&"ü".repeat(name)), Some(&"ü".repeat(about)), None, now, &key)
        };
        assert!(Profile::check(&create(64, 500).unwrap(), now).is_ok());
        assert_eq!(create(65, 0), Err(Fault::TooLarge));
        assert_eq!(create(0, 501), Err(Fault::TooLarge));
        let long = payload([("display_name", text(&"x".repeat(65))), ("updated_at", text(&now))]);
        let envelope = Signed::create(Tag::Profile, long, &key).to_json();
        assert_eq!(Profile::check(&envelope, now), Err(Fault::TooLarge));
        assert_eq!(Profile::check(&vec![b' '; MAX_ENVELOPE_BYTES + 1], now), Err(Fault::TooLarge));
        let picture = Some(Value::from("x".repeat(MAX_ENVELOPE_BYTES)));
        assert_eq!(Profile::create(None, None, picture, now, &key), Err(Fault::TooLarge));
    }

    #[test]
    fn may_be_old_but_not_of_the_future() {
        let key = SecretKey::from_seed([1; 32]);
        let at = |seconds: i64| {
            let envelope = Profile::create(None, None, None, Timestamp::from_unix(NOW + seconds), &key)?;
            Profile::check(&envelope, Timestamp::from_unix(NOW))
                .map(|profile| profile.updated_at.unix() - NOW)
        };
        assert_eq!(
            [at(-1_000_000_000), at(300), at(301)],
            [Ok(-1_000_000_000), Ok(300), Err(Fault::StaleTimestamp)]
        );
    }
}
