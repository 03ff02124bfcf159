//! Pictures of people, as their profiles carry them: sealed for contacts, shuffled for strangers (`tests/vectors/README.md`).

mod key;
mod preview;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub use key::PictureKey;
pub use preview::{MAX_PREVIEW, Preview};

use crate::payload::{Members, payload, text};
use crate::{Body, Fault, PublicKey, Sealed, SecretKey, json, open_archived};

/// The longest ciphertext of a picture, its tag included, in bytes.
pub const MAX_CIPHERTEXT: usize = 24 * 1024;

const TAG: usize = 16;
/// The longest ciphertext as text.
const MAX_CIPHERTEXT_TEXT: usize = MAX_CIPHERTEXT / 3 * 4;

/// A picture as its owner signed it in a profile. Whether it opens is not known yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// What the picture is, once it is opened.
    pub kind: PictureType,
    /// What it was sealed with besides the key.
    pub nonce: [u8; 12],
    /// The sealed picture, at most [`MAX_CIPHERTEXT`] bytes.
    pub ct: Vec<u8>,
    /// The key, sealed to the owner.
    pub own: Sealed,
    /// What strangers see; without one it is the identicon.
    pub preview: Option<Preview>,
    /// Members that this version does not know.
    pub others: Map<String, Value>,
}

/// What kind of file a picture is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PictureType {
    /// `image/webp`.
    Webp,
    /// `image/jpeg`.
    Jpeg,
}

impl PictureType {
    /// The media type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Webp => "image/webp",
            Self::Jpeg => "image/jpeg",
        }
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        [Self::Webp, Self::Jpeg].into_iter().find(|kind| kind.as_str() == text).ok_or(Fault::Malformed)
    }
}

/// Seals the bytes of a picture. Key and nonce must be fresh random bytes, never used before.
///
/// # Errors
/// [`Fault::TooLarge`] when the ciphertext would be longer than [`MAX_CIPHERTEXT`]; [`Fault::Malformed`] for no bytes.
pub fn seal_picture(
    bytes: &[u8],
    primary: &PublicKey,
    key: &PictureKey,
    nonce: [u8; 12],
) -> Result<Vec<u8>, Fault> {
    match bytes.len() {
        0 => Err(Fault::Malformed),
        length if length > MAX_CIPHERTEXT - TAG => Err(Fault::TooLarge),
        _ => {
            let payload = Payload { msg: bytes, aad: &associated(primary) };
            cipher(key).encrypt(&Nonce::from(nonce), payload).map_err(|_| Fault::TooLarge)
        }
    }
}

/// Opens the picture of this person to its bytes. They are as hostile as any file.
///
/// # Errors
/// [`Fault::CannotOpen`] when the key is another picture's, or the picture another person's.
pub fn open_picture(picture: &Picture, primary: &PublicKey, key: &PictureKey) -> Result<Vec<u8>, Fault> {
    let payload = Payload { msg: &picture.ct, aad: &associated(primary) };
    cipher(key).decrypt(&Nonce::from(picture.nonce), payload).map_err(|_| Fault::CannotOpen)
}

/// What a key is sent with, so that it is tried on no other picture: SHA-256 of the ciphertext.
pub fn picture_hash(ct: &[u8]) -> [u8; 32] {
    Sha256::digest(ct).into()
}

impl Picture {
    /// Reads a profile's `picture`.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for members that are missing or of the wrong kind; then [`Fault::TooLarge`] for a ciphertext
    /// or preview beyond its length; then [`Fault::Malformed`] for everything else.
    pub fn from_value(value: &Value) -> Result<Self, Fault> {
        let all = value.as_object().ok_or(Fault::Malformed)?;
        let members = Members(all);
        let (kind, nonce, ct) = (members.text("type")?, members.text("nonce")?, members.text("ct")?);
        members.object("own")?;
        let preview = members.optional_text("preview")?;
        if ct.len() > MAX_CIPHERTEXT_TEXT || preview.is_some_and(|text| text.len() > MAX_PREVIEW) {
            return Err(Fault::TooLarge);
        }
        let own = json::canonical(members.value("own")?);
        let ct = URL_SAFE_NO_PAD.decode(ct).ok().filter(|ct| ct.len() > TAG).ok_or(Fault::Malformed)?;
        let nonce = URL_SAFE_NO_PAD.decode(nonce).map_err(|_| Fault::Malformed)?;
        Ok(Self {
            kind: PictureType::parse(kind)?,
            nonce: nonce.try_into().map_err(|_| Fault::Malformed)?,
            ct,
            own: Sealed::parse(&own).map_err(|_| Fault::Malformed)?,
            preview: preview.map(Preview::parse).transpose()?,
            others: all.iter().filter(|(name, _)| !is_known(name)).map(copy).collect(),
        })
    }

    /// The picture as it stands in a profile.
    pub fn to_value(&self) -> Value {
        let own = payload([
            ("v", Some(2.into())),
            ("enc", text(&URL_SAFE_NO_PAD.encode(self.own.enc))),
            ("ct", text(&URL_SAFE_NO_PAD.encode(&self.own.ct))),
        ]);
        let mut members = payload([
            ("type", text(self.kind.as_str())),
            ("nonce", text(&URL_SAFE_NO_PAD.encode(self.nonce))),
            ("ct", text(&URL_SAFE_NO_PAD.encode(&self.ct))),
            ("own", Some(Value::Object(own))),
            ("preview", self.preview.as_ref().and_then(text)),
        ]);
        members.extend(self.others.iter().filter(|(name, _)| !is_known(name)).map(copy));
        Value::Object(members)
    }

    /// SHA-256 of the ciphertext: the picture that a key names.
    pub fn hash(&self) -> [u8; 32] {
        picture_hash(&self.ct)
    }

    /// The key of my own picture, which a new device finds in my profile.
    ///
    /// # Errors
    /// Those of [`open_archived`]; [`Fault::WrongPrimary`] when somebody else has written it; [`Fault::CannotOpen`]
    /// when it is no key, or another picture's.
    pub fn own_key(&self, me: &SecretKey) -> Result<PictureKey, Fault> {
        let message = open_archived(&self.own, me)?;
        if message.primary != me.public() {
            return Err(Fault::WrongPrimary);
        }
        match message.body {
            Body::PictureKey { key, picture } if picture == self.hash() => Ok(key),
            _ => Err(Fault::CannotOpen),
        }
    }
}

fn cipher(key: &PictureKey) -> Aes256Gcm {
    Aes256Gcm::new(key.as_bytes().into())
}

/// So that nobody can show another person's picture as their own.
fn associated(primary: &PublicKey) -> Vec<u8> {
    format!("kez-picture-v1:{primary}").into_bytes()
}

fn is_known(name: &str) -> bool {
    matches!(name, "type" | "nonce" | "ct" | "own" | "preview")
}

fn copy((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{Message, MessageId, Timestamp, seal};

    fn picture(me: &SecretKey, key: &PictureKey, image: &[u8], others: Map<String, Value>) -> Picture {
        let ct = seal_picture(image, &me.public(), key, [1; 12]).unwrap();
        let message = Message {
            id: MessageId::from_bytes([2; 16]),
            primary: me.public(),
            device: None,
            to: me.public(),
            sent_at: Timestamp::from_unix(0),
            body: Body::PictureKey { key: key.clone(), picture: picture_hash(&ct) },
        };
        let own = seal(&message, me, [3; 32]).unwrap();
        Picture { kind: PictureType::Jpeg, nonce: [1; 12], ct, own, preview: None, others }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_for_the_key_alone(
            seed in any::<[u8; 32]>(), key in any::<[u8; 32]>(), image in vec(any::<u8>(), 1..500),
            place in any::<prop::sample::Index>(), bit in 0..8
        ) {
            let (me, right) = (SecretKey::from_seed(seed), PictureKey::from_bytes(key));
            let whole = picture(&me, &right, &image, Map::new());
            prop_assert_eq!(open_picture(&whole, &me.public(), &right), Ok(image));
            prop_assert_eq!(whole.own_key(&me), Ok(right.clone()));
            prop_assert_eq!(Picture::from_value(&whole.to_value()), Ok(whole.clone()));

            let (mut changed, mut wrong) = (whole.clone(), key);
            let place = place.index(12 + changed.ct.len() + 32);
            let bytes = changed.nonce.iter_mut().chain(&mut changed.ct).chain(&mut wrong);
            *bytes.into_iter().nth(place).unwrap() ^= 1u8 << bit;
            let wrong = PictureKey::from_bytes(wrong);
            prop_assert_eq!(open_picture(&changed, &me.public(), &wrong), Err(Fault::CannotOpen));
            let other = SecretKey::from_seed([9; 32]);
            prop_assert_eq!(open_picture(&whole, &other.public(), &right), Err(Fault::CannotOpen));
            prop_assert_eq!(whole.own_key(&other), Err(Fault::CannotOpen));
        }

        #[test]
        fn members_of_any_kind_are_read_or_refused(
            name in "type|nonce|ct|own|preview|of tomorrow", text in ".{0,40}", kind in 0usize..4
        ) {
            let whole = picture(&SecretKey::from_seed([1; 32]), &PictureKey::from_bytes([2; 32]), b"x", Map::new());
            let value = [json!(text), json!(1), json!([text]), json!({ "v": 2, "enc": text, "ct": text })];
            let mut members = whole.to_value().as_object().cloned().unwrap();
            members.extend(value.into_iter().nth(kind).map(|value| (name.clone(), value)));
            let read = Picture::from_value(&Value::Object(members.clone()));
            match name.as_str() {
                "of tomorrow" => prop_assert_eq!(read.unwrap().to_value(), Value::Object(members)),
                _ => prop_assert_eq!(read.unwrap_err(), Fault::Malformed),
            }
        }
    }

    #[test]
    fn members_of_tomorrow_replace_none_of_today() {
        let others = json!({ "type": "image/svg+xml", "preview": "x", "blurhash": "y" });
        let me = SecretKey::from_seed([1; 32]);
        let value =
            picture(&me, &PictureKey::from_bytes([2; 32]), b"x", others.as_object().cloned().unwrap())
                .to_value();
        let picture = Picture::from_value(&value).unwrap();
        assert_eq!((picture.kind, picture.preview, picture.others.len()), (PictureType::Jpeg, None, 1));
    }

    #[test]
    fn the_length_of_a_picture_has_two_ends() {
        let (primary, key) = (SecretKey::from_seed([1; 32]).public(), PictureKey::from_bytes([2; 32]));
        let seal = |bytes: usize| seal_picture(&vec![0; bytes], &primary, &key, [3; 12]).map(|ct| ct.len());
        let most = MAX_CIPHERTEXT - 16;
        assert_eq!([seal(0), seal(1)], [Err(Fault::Malformed), Ok(17)]);
        assert_eq!([seal(most), seal(most + 1)], [Ok(MAX_CIPHERTEXT), Err(Fault::TooLarge)]);
    }
}
