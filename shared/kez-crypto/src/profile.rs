//! Profiles: how someone describes themselves (protocol section 3).

use crate::payload::{Members, payload, text};
use crate::{Fault, Picture, PublicKey, SecretKey, Signed, Tag, Timestamp};

const MAX_ENVELOPE_BYTES: usize = 64 * 1024;
const MAX_NAME_CHARACTERS: usize = 64;
const MAX_ABOUT_CHARACTERS: usize = 500;
const MAX_AHEAD_SECONDS: i64 = 5 * 60;

/// A profile whose signature, sizes and time hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The identity that is described.
    pub primary: PublicKey,
    /// The name to show, at most 64 characters.
    pub display_name: Option<String>,
    /// A few words, at most 500 characters.
    pub about: Option<String>,
    /// A picture, sealed for contacts.
    pub picture: Option<Picture>,
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
        picture: Option<&Picture>,
        updated_at: Timestamp,
        key: &SecretKey,
    ) -> Result<Vec<u8>, Fault> {
        bounded(display_name, MAX_NAME_CHARACTERS)?;
        bounded(about, MAX_ABOUT_CHARACTERS)?;
        let members = payload([
            ("display_name", display_name.and_then(text)),
            ("about", about.and_then(text)),
            ("picture", picture.map(Picture::to_value)),
            ("updated_at", text(&updated_at)),
        ]);
        let envelope = Signed::create(Tag::Profile, members, key).to_json();
        if envelope.len() > MAX_ENVELOPE_BYTES { Err(Fault::TooLarge) } else { Ok(envelope) }
    }

    /// Checks a profile.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] beyond 64 KiB; those of [`Signed::parse`]; [`Fault::Malformed`] for members of the wrong
    /// kind; those of [`Picture::from_value`]; [`Fault::TooLarge`] for texts beyond their lengths; [`Fault::StaleTimestamp`] when `updated_at` is more
    /// than five minutes ahead.
    pub fn check(envelope: &[u8], now: Timestamp) -> Result<Self, Fault> {
        if envelope.len() > MAX_ENVELOPE_BYTES {
            return Err(Fault::TooLarge);
        }
        let signed = Signed::parse(envelope, Tag::Profile)?;
        let members = Members(&signed.payload);
        let (display_name, about) = (members.optional_text("display_name")?, members.optional_text("about")?);
        let updated_at = members.time("updated_at")?;
        let picture = signed.payload.get("picture").map(Picture::from_value).transpose()?;
        bounded(display_name, MAX_NAME_CHARACTERS)?;
        bounded(about, MAX_ABOUT_CHARACTERS)?;
        if updated_at.seconds_since(now) > MAX_AHEAD_SECONDS {
            return Err(Fault::StaleTimestamp);
        }
        Ok(Self {
            primary: signed.ed25519()?,
            display_name: display_name.map(Into::into),
            about: about.map(Into::into),
            picture,
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
    use serde_json::{Value, json};

    use super::*;
    use crate::picture::{MAX_CIPHERTEXT, MAX_PREVIEW};
    use crate::{Body, Message, MessageId, PictureKey, PictureType, Preview, seal, seal_picture};

    const NOW: i64 = 1_779_678_000;

    /// The largest picture that can be, with a preview and a member of tomorrow.
    fn picture(me: &SecretKey, others: &Value) -> Picture {
        let key = PictureKey::from_bytes([2; 32]);
        let ct = seal_picture(&[7; MAX_CIPHERTEXT - 16], &me.public(), &key, [3; 12]).unwrap();
        let message = Message {
            id: MessageId::from_bytes([4; 16]),
            primary: me.public(),
            device: None,
            to: me.public(),
            sent_at: Timestamp::from_unix(NOW),
            body: Body::PictureKey { key, picture: crate::picture::picture_hash(&ct) },
        };
        let png = [Preview::HEADER.as_slice(), &[0; MAX_PREVIEW / 4 * 3 - 90], &Preview::END].concat();
        Picture {
            kind: PictureType::Webp,
            nonce: [3; 12],
            ct,
            own: seal(&message, me, [5; 32]).unwrap(),
            preview: Some(Preview { png, salt: [6; 16] }),
            others: others.as_object().cloned().unwrap(),
        }
    }

    #[test]
    fn reads_what_it_writes() {
        let (key, now) = (SecretKey::from_seed([1; 32]), Timestamp::from_unix(NOW));
        let picture = Some(picture(&key, &json!({ "of tomorrow": [1] })));
        let envelope = Profile::create(Some("Älice"), None, picture.as_ref(), now, &key).unwrap();
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
        let picture = picture(&key, &json!({ "x": "x".repeat(8 * 1024) }));
        assert_eq!(Profile::create(None, None, Some(&picture), now, &key), Err(Fault::TooLarge));
    }

    #[test]
    fn the_longest_texts_and_the_largest_picture_fit() {
        let (key, now) = (SecretKey::from_seed([1; 32]), Timestamp::from_unix(NOW));
        let picture = picture(&key, &json!({}));
        assert!(picture.preview.as_ref().unwrap().to_string().len() > MAX_PREVIEW - 16);
        // Control characters take six bytes each.
        let (name, about) = ("\u{1}".repeat(MAX_NAME_CHARACTERS), "\u{1}".repeat(MAX_ABOUT_CHARACTERS));
        let envelope = Profile::create(Some(&name), Some(&about), Some(&picture), now, &key).unwrap();
        assert_eq!(Profile::check(&envelope, now).unwrap().picture, Some(picture));
    }

    #[test]
    fn what_is_no_picture_is_refused_with_the_profile() {
        let (key, now) = (SecretKey::from_seed([1; 32]), Timestamp::from_unix(NOW));
        let whole = picture(&key, &json!({})).to_value();
        let with = |name: &str, value: Value| {
            let members = whole.as_object().cloned().unwrap_or_default();
            Value::Object(members.into_iter().chain([(name.to_owned(), value)]).collect())
        };
        for (picture, fault) in [
            (Value::Null, Fault::Malformed),
            (json!("data:image/png;base64,AAAA"), Fault::Malformed),
            (json!({}), Fault::Malformed),
            (with("type", json!("image/svg+xml")), Fault::Malformed),
            (with("preview", json!("https://example.org/a.png")), Fault::Malformed),
            (with("own", json!({ "v": 2 })), Fault::Malformed),
            (with("ct", json!("A".repeat(MAX_CIPHERTEXT * 2))), Fault::TooLarge),
            (with("preview", json!("x".repeat(MAX_PREVIEW + 1))), Fault::TooLarge),
        ] {
            let members = payload([("picture", Some(picture)), ("updated_at", text(&now))]);
            let envelope = Signed::create(Tag::Profile, members, &key).to_json();
            assert_eq!(Profile::check(&envelope, now), Err(fault));
        }
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
