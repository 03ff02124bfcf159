//! Signed envelopes: a payload, the key that speaks and its signature (protocol section 3).

use data_encoding::HEXLOWER;
use serde_json::{Map, Value};

use crate::payload::{Members, payload, text};
use crate::{Fault, PublicKey, SecretKey, json};

/// The only signature algorithm that is taken here: RFC 8032 over the JCS of the payload.
const ALGORITHM: &str = "ed25519-sha512-jcs";

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
}

/// An envelope whose signature holds. Only [`Signed::parse`] and [`Signed::create`] make one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signed {
    /// What it is for.
    pub tag: Tag,
    /// What is signed, with the members that this version does not know.
    pub payload: Map<String, Value>,
    /// The identity that speaks: `payload.primary`.
    pub primary: PublicKey,
    /// The device that signed for the primary, in a session or message that names one. Whether it is active in the
    /// primary's sigchain is the caller's to decide ([`Fault::UnknownDevice`]).
    pub device: Option<PublicKey>,
    /// The key that signed: the device, or else the primary.
    pub key: PublicKey,
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
        let Value::Object(mut envelope) = envelope else { return Err(Fault::Malformed) };
        let Some(Value::Object(payload)) = envelope.remove("payload") else { return Err(Fault::Malformed) };
        let Some(Value::Object(signature)) = envelope.remove("signature") else {
            return Err(Fault::Malformed);
        };
        let named = Members(&envelope).text("kez")?;
        let (members, signature_members) = (Members(&payload), Members(&signature));
        let (algorithm, hex) = (signature_members.text("alg")?, signature_members.text("sig")?);
        let (payload_type, version) = (members.text("type")?, members.integer("version")?);
        let primary = key_or_unsupported(members, "primary")?;
        let key = key_or_unsupported(signature_members, "key")?;
        let names_device = expected.takes_devices() && payload.contains_key("device");
        let device = if names_device { Some(key_or_unsupported(members, "device")?) } else { None };
        if envelope.len() != 1 || signature.len() != 3 {
            return Err(Fault::Malformed);
        }

        if named != expected.name() || payload_type != expected.payload_type() {
            return Err(Fault::WrongEnvelope);
        }
        if version != VERSION {
            return Err(Fault::UnsupportedVersion);
        }
        let (primary, key, device) = (primary?, key?, device.transpose()?);
        if algorithm != ALGORITHM {
            return Err(Fault::UnsupportedKey);
        }
        if key != device.unwrap_or(primary) {
            return Err(Fault::KeyMismatch);
        }
        let signature = signature_from_hex(hex).ok_or(Fault::BadSignature)?;
        let payload = Value::Object(payload);
        key.verify_strict(&json::canonical(&payload), &signature)?;
        let Value::Object(payload) = payload else { return Err(Fault::Malformed) };
        Ok(Self { tag: expected, payload, primary, device, key, signature })
    }

    /// Signs a payload. `type` and `version` are set; `primary` becomes the key's own unless the payload names one,
    /// in which case the payload's `device` should be the key (or [`Signed::parse`] will refuse the result).
    ///
    /// Numbers in the payload must be integers within ±(2^53 − 1), or nobody will read it.
    pub fn create(tag: Tag, mut payload: Map<String, Value>, secret: &SecretKey) -> Self {
        let key = secret.public();
        payload.insert("type".into(), tag.payload_type().into());
        payload.insert("version".into(), VERSION.into());
        let primary = Members(&payload).key("primary").unwrap_or(key);
        payload.insert("primary".into(), primary.identifier().into());
        let device = Members(&payload).key("device").ok().filter(|_| tag.takes_devices());
        let payload = Value::Object(payload);
        let signature = secret.sign(&json::canonical(&payload));
        let payload = if let Value::Object(payload) = payload { payload } else { Map::new() };
        Self { tag, payload, primary, device, key, signature }
    }

    /// The envelope's text: JCS of the whole, signature included.
    pub fn to_json(&self) -> Vec<u8> {
        json::canonical(&self.to_value())
    }

    /// The envelope as a JSON value.
    pub fn to_value(&self) -> Value {
        let signature = payload([
            ("alg", text(ALGORITHM)),
            ("key", text(self.key)),
            ("sig", text(HEXLOWER.encode(&self.signature))),
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
}

/// The 64 bytes of a signature written as 128 lower-case hexadecimal digits.
pub(crate) fn signature_from_hex(hex: &str) -> Option<[u8; 64]> {
    HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}

/// A key, or the fault that it is of another system, which is reported only after what is malformed.
fn key_or_unsupported(members: Members<'_>, name: &str) -> Result<Result<PublicKey, Fault>, Fault> {
    match members.key(name) {
        Err(Fault::UnsupportedKey) => Ok(Err(Fault::UnsupportedKey)),
        Err(fault) => Err(fault),
        Ok(key) => Ok(Ok(key)),
    }
}
