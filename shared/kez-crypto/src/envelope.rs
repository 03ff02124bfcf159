//! Signed envelopes: a payload, the key that speaks and its signature (protocol section 3).

use std::fmt;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value};

use crate::payload::{Members, payload, text};
use crate::{Fault, Primary, PublicKey, Signer, json};

const VERSION: i64 = 1;

/// What an envelope is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Tag {
    /// A handle is registered (protocol section 4).
    HandleRegistration,
    /// An identity claims an account.
    Claim,
    /// An identity's history goes on by one event (protocol section 6).
    SigchainEvent,
    /// Someone writes to someone (protocol section 8).
    Message,
    /// A connection key speaks for an identity.
    Session,
    /// Someone describes themselves.
    Profile,
}

impl Tag {
    /// The envelope's `kez` member.
    pub fn name(self) -> &'static str {
        match self {
            Self::HandleRegistration => "handle_registration",
            Self::Claim => "claim",
            Self::SigchainEvent => "sigchain_event",
            Self::Message => "message",
            Self::Session => "session",
            Self::Profile => "profile",
        }
    }

    /// The payload's `type` member.
    pub fn payload_type(self) -> &'static str {
        match self {
            Self::HandleRegistration => "kez.chat.handle_registration",
            Self::Claim => "kez.claim",
            Self::SigchainEvent => "kez.sigchain.event",
            Self::Message => "kez.chat.message",
            Self::Session => "kez.chat.session",
            Self::Profile => "kez.chat.profile",
        }
    }

    /// Whether a device of the primary may sign it.
    fn takes_devices(self) -> bool {
        matches!(self, Self::Message | Self::Session)
    }

    /// Whether identities of every algorithm may sign it; chat takes Ed25519 only (protocol section 1).
    fn takes_every_key(self) -> bool {
        matches!(self, Self::Claim | Self::SigchainEvent)
    }
}

/// An envelope whose signature holds. Only [`Signed::parse`] and [`Signed::create`] make one. Its `Debug` form leaves
/// the payload out, which may be a letter.
#[derive(Clone, Eq, PartialEq)]
pub struct Signed {
    /// What it is for.
    pub tag: Tag,
    /// What is signed, with the members that this version does not know.
    pub payload: Map<String, Value>,
    /// The identity that speaks: `payload.primary`. Of a claim and a sigchain event it may be of either algorithm, of
    /// everything else it is an Ed25519 key.
    pub primary: Primary,
    /// The device that signed for the primary, in a session or message that names one. Whether it is active in the
    /// primary's sigchain is the caller's to decide ([`Fault::UnknownDevice`]).
    pub device: Option<PublicKey>,
    /// The key that signed: the device, or else the primary.
    pub key: Primary,
    signature: [u8; 64],
}

impl Signed {
    /// Reads an envelope and checks its signature, all of protocol section 3 in its order.
    ///
    /// # Errors
    /// The first of [`Fault::Malformed`], [`Fault::WrongEnvelope`], [`Fault::UnsupportedVersion`],
    /// [`Fault::UnsupportedKey`], [`Fault::KeyMismatch`] and [`Fault::BadSignature`] that applies.
    pub fn parse(envelope: &[u8], expected: Tag) -> Result<Self, Fault> {
        Self::from_value(json::parse(envelope)?, expected)
    }

    /// Like [`Signed::parse`], for a value that [`json::parse`] has read.
    ///
    /// # Errors
    /// Those of [`Signed::parse`].
    pub fn from_value(envelope: Value, expected: Tag) -> Result<Self, Fault> {
        Self::read(envelope, expected).map(|(signed, _)| signed)
    }

    /// Like [`Signed::parse`]; with it the envelope's JCS, which costs little once the signature is checked.
    pub(crate) fn parse_canonical(envelope: &[u8], expected: Tag) -> Result<(Self, Vec<u8>), Fault> {
        let (signed, payload) = Self::read(json::parse(envelope)?, expected)?;
        let text = signed.enclose(&payload);
        Ok((signed, text))
    }

    /// Signs a payload with an [`crate::SecretKey`] or a [`crate::NostrSecret`]. `type` and `version` are set;
    /// `primary` becomes the key's own unless the payload names one, in which case the payload's `device` should be
    /// the key (or [`Signed::parse`] will refuse the result).
    ///
    /// Numbers in the payload must be integers within ±(2^53 − 1), or nobody will read it.
    pub fn create<'a>(tag: Tag, mut payload: Map<String, Value>, secret: impl Into<Signer<'a>>) -> Self {
        let secret = secret.into();
        let key = secret.public();
        payload.insert("type".into(), tag.payload_type().into());
        payload.insert("version".into(), VERSION.into());
        let primary = Members(&payload).primary("primary").unwrap_or(key);
        payload.insert("primary".into(), primary.to_string().into());
        let device = Members(&payload).key("device").ok().filter(|_| tag.takes_devices());
        let signature = secret.sign(&json::canonical_object(&payload));
        Self { tag, payload, primary, device, key, signature }
    }

    /// The envelope's text: JCS of the whole, signature included.
    pub fn to_json(&self) -> Vec<u8> {
        self.enclose(&json::canonical_object(&self.payload))
    }

    /// The envelope as a JSON value.
    pub fn to_value(&self) -> Value {
        let signature = payload([
            ("alg", text(self.key.algorithm())),
            ("key", text(&self.key)),
            ("sig", text(&HEXLOWER.encode(&self.signature))),
        ]);
        Value::Object(payload([
            ("kez", text(self.tag.name())),
            ("payload", Some(Value::Object(self.payload.clone()))),
            ("signature", Some(Value::Object(signature))),
        ]))
    }

    /// The signature's 64 bytes.
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// The primary of a tag that takes Ed25519 keys only.
    pub(crate) fn ed25519(&self) -> Result<PublicKey, Fault> {
        self.primary.ed25519().ok_or(Fault::UnsupportedKey)
    }

    fn read(envelope: Value, expected: Tag) -> Result<(Self, Vec<u8>), Fault> {
        let shape = Shape::read(envelope, expected)?;
        let payload_type = Members(&shape.payload).text("type")?;
        if shape.tag != expected.name() || payload_type != expected.payload_type() {
            return Err(Fault::WrongEnvelope);
        }
        if shape.version != VERSION {
            return Err(Fault::UnsupportedVersion);
        }
        let (primary, key, device) = (shape.primary?, shape.key?, shape.device.transpose()?);
        // Also the other system's algorithm, which is none for this key.
        if shape.algorithm != key.algorithm() {
            return Err(Fault::UnsupportedKey);
        }
        if key != device.unwrap_or(primary) {
            return Err(Fault::KeyMismatch);
        }
        let signature = signature_from_hex(&shape.signature).ok_or(Fault::BadSignature)?;
        let text = json::canonical_object(&shape.payload);
        key.verify(&text, &signature)?;
        let device = device.and_then(|device| device.ed25519());
        Ok((Self { tag: expected, payload: shape.payload, primary, device, key, signature }, text))
    }

    /// The envelope's JCS around that of its payload. Every other text in it is one that JCS writes as it stands, and
    /// the members are in order.
    fn enclose(&self, payload: &[u8]) -> Vec<u8> {
        let (tag, key) = (self.tag.name(), self.key);
        let (alg, sig) = (key.algorithm(), HEXLOWER.encode(&self.signature));
        let before = format!(r#"{{"kez":"{tag}","payload":"#);
        let after = format!(r#","signature":{{"alg":"{alg}","key":"{key}","sig":"{sig}"}}}}"#);
        [before.as_bytes(), payload, after.as_bytes()].concat()
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("tag", &self.tag)
            .field("primary", &self.primary)
            .finish_non_exhaustive()
    }
}

/// The 64 bytes of a signature written as 128 lower-case hexadecimal digits.
pub(crate) fn signature_from_hex(hex: &str) -> Option<[u8; 64]> {
    HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}

/// An envelope of the right shape, of which nothing else is known yet.
struct Shape {
    tag: String,
    payload: Map<String, Value>,
    version: i64,
    primary: Key,
    device: Option<Key>,
    algorithm: String,
    key: Key,
    signature: String,
}

/// A key, or the fault that it is of another system, which comes after what is malformed.
type Key = Result<Primary, Fault>;

impl Shape {
    fn read(envelope: Value, expected: Tag) -> Result<Self, Fault> {
        let Value::Object(mut envelope) = envelope else { return Err(Fault::Malformed) };
        let Some(Value::Object(payload)) = envelope.remove("payload") else { return Err(Fault::Malformed) };
        let (outer, members) = (Members(&envelope), Members(&payload));
        let signature = Members(outer.object("signature")?);
        if envelope.len() != 2 || signature.0.len() != 3 {
            return Err(Fault::Malformed);
        }
        members.text("type")?;
        let names_device = expected.takes_devices() && payload.contains_key("device");
        Ok(Self {
            tag: outer.text("kez")?.into(),
            version: members.integer("version")?,
            primary: key(members, "primary", expected)?,
            device: names_device.then(|| key(members, "device", expected)).transpose()?,
            algorithm: signature.text("alg")?.into(),
            key: key(signature, "key", expected)?,
            signature: signature.text("sig")?.into(),
            payload,
        })
    }
}

fn key(members: Members<'_>, name: &str, expected: Tag) -> Result<Key, Fault> {
    if expected.takes_every_key() {
        return members.primary(name).map(Ok);
    }
    match members.key(name) {
        Err(Fault::UnsupportedKey) => Ok(Err(Fault::UnsupportedKey)),
        read => read.map(|key| Ok(key.into())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{NostrSecret, SecretKey};

    const PRIMARY: [u8; 32] = [1; 32];
    const DEVICE: [u8; 32] = [2; 32];

    /// An envelope by a device, with one change to it before it is read.
    fn changed(tag: Tag, change: impl FnOnce(&mut Value)) -> Result<Signed, Fault> {
        let (primary, device) = (SecretKey::from_seed(PRIMARY), SecretKey::from_seed(DEVICE));
        let members = payload([("primary", text(&primary.public())), ("device", text(&device.public()))]);
        let mut envelope = Signed::create(tag, members, &device).to_value();
        change(&mut envelope);
        Signed::parse(&json::canonical(&envelope), tag)
    }

    #[test]
    fn devices_sign_sessions_and_messages_only() {
        for tag in [Tag::Session, Tag::Message] {
            let signed = changed(tag, |_| ()).unwrap();
            assert_eq!(signed.device, Some(SecretKey::from_seed(DEVICE).public()));
            assert_eq!(signed.primary, SecretKey::from_seed(PRIMARY).public().into());
        }
        for tag in [Tag::HandleRegistration, Tag::Claim, Tag::SigchainEvent, Tag::Profile] {
            assert_eq!(changed(tag, |_| ()), Err(Fault::KeyMismatch), "{tag:?}");
        }
    }

    #[test]
    fn faults_come_in_order() {
        let change = |path: &'static str, value: Value| {
            move |envelope: &mut Value| *envelope.pointer_mut(path).expect("the member is there") = value
        };
        let faults = [
            ("/payload/primary", json!(1), Fault::Malformed),
            ("/payload/device", json!("ed25519:"), Fault::Malformed),
            ("/payload/version", json!("1"), Fault::Malformed),
            ("/payload/type", json!(null), Fault::Malformed),
            ("/payload", json!([]), Fault::Malformed),
            ("/kez", json!("claim"), Fault::WrongEnvelope),
            ("/kez", json!(1), Fault::Malformed),
            ("/payload/type", json!("kez.claim"), Fault::WrongEnvelope),
            ("/payload/version", json!(2), Fault::UnsupportedVersion),
            ("/payload/primary", json!("nostr:npub1q"), Fault::UnsupportedKey),
            ("/payload/device", json!("nostr:npub1q"), Fault::UnsupportedKey),
            ("/signature/key", json!("nostr:npub1q"), Fault::UnsupportedKey),
            ("/signature/alg", json!("ed25519"), Fault::UnsupportedKey),
            ("/signature/key", json!(format!("ed25519:{}", "0".repeat(64))), Fault::KeyMismatch),
            ("/signature/sig", json!(""), Fault::BadSignature),
            ("/signature/sig", json!("0".repeat(128)), Fault::BadSignature),
            ("/signature/sig", json!(0), Fault::Malformed),
        ];
        for (path, value, fault) in faults {
            assert_eq!(changed(Tag::Message, change(path, value.clone())), Err(fault), "{path} {value}");
        }
    }

    #[test]
    fn claims_and_events_are_of_either_algorithm() {
        let secret = NostrSecret::from_bytes([1; 32]).unwrap();
        for tag in [Tag::Claim, Tag::SigchainEvent] {
            let signed = Signed::create(tag, Map::new(), &secret);
            assert_eq!(signed.primary, secret.public().into());
            assert_eq!(Signed::parse(&signed.to_json(), tag), Ok(signed));
        }
        for tag in [Tag::HandleRegistration, Tag::Message, Tag::Session, Tag::Profile] {
            let text = Signed::create(tag, Map::new(), &secret).to_json();
            assert_eq!(Signed::parse(&text, tag), Err(Fault::UnsupportedKey), "{tag:?}");
        }
    }

    #[test]
    fn key_and_algorithm_belong_together() {
        let (ed25519, nostr) = (SecretKey::from_seed([1; 32]), NostrSecret::from_bytes([1; 32]).unwrap());
        let (hex, npub) = (Primary::from(ed25519.public()), Primary::from(nostr.public()));
        let cases = [
            (&hex, &hex, npub.algorithm(), Fault::UnsupportedKey),
            (&npub, &npub, hex.algorithm(), Fault::UnsupportedKey),
            (&npub, &npub, "nostr", Fault::UnsupportedKey),
            (&hex, &npub, npub.algorithm(), Fault::KeyMismatch),
            (&npub, &hex, hex.algorithm(), Fault::KeyMismatch),
            (&npub, &hex, npub.algorithm(), Fault::UnsupportedKey),
            (&npub, &npub, npub.algorithm(), Fault::BadSignature),
        ];
        for (primary, key, algorithm, fault) in cases {
            let members = payload([("primary", text(primary))]);
            let mut envelope = Signed::create(Tag::Claim, members, &ed25519).to_value();
            *envelope.pointer_mut("/signature/alg").unwrap() = json!(algorithm);
            *envelope.pointer_mut("/signature/key").unwrap() = json!(key);
            let parsed = Signed::parse(&json::canonical(&envelope), Tag::Claim);
            assert_eq!(parsed, Err(fault), "{primary} {key} {algorithm}");
        }
        let mut envelope = Signed::create(Tag::Claim, Map::new(), &nostr).to_value();
        *envelope.pointer_mut("/payload/primary").unwrap() = json!("nostr:npub1qqqqqq");
        assert_eq!(Signed::parse(&json::canonical(&envelope), Tag::Claim), Err(Fault::Malformed));
    }

    #[test]
    fn the_text_is_the_canonical_one() {
        let members = payload([("z\u{1f600}", text("\u{7}")), ("\u{e000}", Some(json!([{"b": 1, "a": 2}])))]);
        for tag in [Tag::Claim, Tag::Message] {
            let signed = Signed::create(tag, members.clone(), &SecretKey::from_seed([1; 32]));
            assert_eq!(signed.to_json(), json::canonical(&signed.to_value()));
        }
    }

    #[test]
    fn members_outside_the_payload_are_counted() {
        for place in ["", "/signature"] {
            let add = |envelope: &mut Value| {
                envelope
                    .pointer_mut(place)
                    .and_then(Value::as_object_mut)
                    .expect("an object")
                    .insert("x".into(), json!(1));
            };
            assert_eq!(changed(Tag::Message, add), Err(Fault::Malformed));
        }
    }
}
