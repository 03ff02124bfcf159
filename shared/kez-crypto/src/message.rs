//! Messages: what someone writes to someone, before it is sealed (protocol section 8).

use std::borrow::Cow;
use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::payload::{Members, payload, text};
use crate::{Fault, PictureKey, PublicKey, Signed, Timestamp};

/// A message's own name: 16 random bytes, written as 32 lower-case hexadecimal digits.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MessageId([u8; 16]);

impl MessageId {
    /// The id of these 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads exactly 32 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for every other text.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| Fault::Malformed)?;
        bytes.try_into().map(Self).map_err(|_| Fault::Malformed)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A message as it was signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Its own name.
    pub id: MessageId,
    /// Who wrote it.
    pub primary: PublicKey,
    /// The device that signed for the primary, which must be active in its sigchain ([`Fault::UnknownDevice`]).
    pub device: Option<PublicKey>,
    /// Whom it is for.
    pub to: PublicKey,
    /// When it was written.
    pub sent_at: Timestamp,
    /// What it says.
    pub body: Body,
}

/// What a message says. Its `Debug` form does not repeat the words, for logs are not letters.
#[derive(Clone, Eq, PartialEq)]
pub enum Body {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// In a text to myself: of what it is a copy. In what others write it means nothing.
        copy_of: Option<Copied>,
    },
    /// What became of messages received.
    Receipt {
        /// How far they came.
        status: ReceiptStatus,
        /// Which messages.
        of: Vec<MessageId>,
    },
    /// What opens the sender's own picture; nothing to show.
    PictureKey {
        /// The key.
        key: PictureKey,
        /// SHA-256 of the ciphertext that it opens, in the sender's profile.
        picture: [u8; 32],
    },
    /// Something that a newer version may understand; kept whole.
    Unknown(Value),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { text, .. } => write!(f, "Text({} bytes)", text.len()),
            Self::Receipt { status, of } => write!(f, "Receipt({} of {})", status.as_str(), of.len()),
            Self::PictureKey { .. } => f.write_str("PictureKey"),
            Self::Unknown(_) => f.write_str("Unknown"),
        }
    }
}

/// Whom a message was sent to by one of my devices, and under which id; the others learn of it from a copy that says so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Copied {
    /// Whom it was sent to.
    pub to: PublicKey,
    /// What it is called there.
    pub id: MessageId,
}

/// How far a message came.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ReceiptStatus {
    /// It reached the recipient's device.
    Delivered,
    /// The recipient has seen it.
    Read,
}

impl ReceiptStatus {
    /// The status on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}

impl Message {
    /// The message in a signed envelope.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for members that are missing or of the wrong kind, [`Fault::UnsupportedKey`] when `to` is
    /// of another system than Ed25519.
    pub fn from_signed(signed: &Signed) -> Result<Self, Fault> {
        let members = Members(&signed.payload);
        Ok(Self {
            id: MessageId::parse(members.text("id")?)?,
            primary: signed.ed25519()?,
            device: signed.device,
            to: members.key("to")?,
            sent_at: members.time("sent_at")?,
            body: Body::from_value(members.value("body")?)?,
        })
    }

    /// The members to sign, without `type` and `version`.
    pub fn to_payload(&self) -> Map<String, Value> {
        payload([
            ("id", text(&self.id)),
            ("primary", text(&self.primary)),
            ("device", self.device.as_ref().and_then(text)),
            ("to", text(&self.to)),
            ("sent_at", text(&self.sent_at)),
            ("body", Some(self.body.to_value())),
        ])
    }
}

impl Body {
    /// Words that are no copy of anything.
    pub fn text(words: impl Into<String>) -> Self {
        Self::Text { text: words.into(), copy_of: None }
    }

    /// Reads a body. Kinds that are not known, and receipts of a status that is not known, become [`Body::Unknown`].
    ///
    /// # Errors
    /// [`Fault::Malformed`] for a body without a kind, or a known kind whose members are missing or of the wrong kind.
    pub fn from_value(value: &Value) -> Result<Self, Fault> {
        let members = Members(value.as_object().ok_or(Fault::Malformed)?);
        match members.text("kind")? {
            "text" => {
                let copy_of = members.value("copy_of").and_then(Copied::from_value).ok();
                Ok(Self::Text { text: members.text("text")?.into(), copy_of })
            }
            "receipt" => {
                let status = match members.text("status")? {
                    "delivered" => ReceiptStatus::Delivered,
                    "read" => ReceiptStatus::Read,
                    _ => return Ok(Self::Unknown(value.clone())),
                };
                let ids = members.value("of")?.as_array().ok_or(Fault::Malformed)?;
                let id = |id: &Value| MessageId::parse(id.as_str().ok_or(Fault::Malformed)?);
                Ok(Self::Receipt { status, of: ids.iter().map(id).collect::<Result<_, _>>()? })
            }
            "picture_key" => {
                let picture = HEXLOWER.decode(members.text("picture")?.as_bytes());
                let picture = picture.ok().and_then(|bytes| bytes.try_into().ok()).ok_or(Fault::Malformed)?;
                Ok(Self::PictureKey { key: PictureKey::parse(members.text("key")?)?, picture })
            }
            _ => Ok(Self::Unknown(value.clone())),
        }
    }

    /// The body on the wire.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text { text: words, copy_of } => Value::Object(payload([
                ("kind", text("text")),
                ("text", text(words)),
                ("copy_of", copy_of.map(Copied::to_value)),
            ])),
            Self::Receipt { status, of } => Value::Object(payload([
                ("kind", text("receipt")),
                ("status", text(status.as_str())),
                ("of", Some(Value::Array(of.iter().filter_map(text).collect()))),
            ])),
            Self::PictureKey { key, picture } => Value::Object(payload([
                ("kind", text("picture_key")),
                ("key", text(&key.to_base64url())),
                ("picture", text(&HEXLOWER.encode(picture))),
            ])),
            Self::Unknown(value) => value.clone(),
        }
    }
}

impl Copied {
    /// Whoever does not know this member shows the text, so one that cannot be read is no reason to lose it.
    fn from_value(value: &Value) -> Result<Self, Fault> {
        let members = Members(value.as_object().ok_or(Fault::Malformed)?);
        Ok(Self { to: members.key("to")?, id: MessageId::parse(members.text("id")?)? })
    }

    fn to_value(self) -> Value {
        Value::Object(payload([("to", text(&self.to)), ("id", text(&self.id))]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_read_back() {
        let id = "0123456789abcdef0123456789abcdef";
        for value in [
            json!({"kind": "text", "text": "hello"}),
            json!({"kind": "text", "text": "hello", "copy_of": {"to": PublicKey::from_bytes([7; 32]), "id": id}}),
            json!({"kind": "receipt", "status": "delivered", "of": [id]}),
            json!({"kind": "receipt", "status": "read", "of": []}),
            json!({"kind": "receipt", "status": "played", "of": [id]}),
            json!({"kind": "picture_key", "key": "A".repeat(43), "picture": "ab".repeat(32)}),
            json!({"kind": "picture", "anything": [1, {"a": null}]}),
        ] {
            assert_eq!(Body::from_value(&value).map(|body| body.to_value()), Ok(value));
        }
    }

    #[test]
    fn a_copy_of_nothing_that_can_be_read_is_a_text() {
        let (to, id) = (PublicKey::from_bytes([7; 32]).identifier(), "ab".repeat(16));
        for copy_of in [
            json!(null),
            json!("everything"),
            json!([]),
            json!([to, id]),
            json!({}),
            json!({"to": to}),
            json!({"id": id}),
            json!({"to": "nostr:npub1x", "id": id}),
            json!({"to": to.to_uppercase(), "id": id}),
            json!({"to": to, "id": id.to_uppercase()}),
            json!({"to": to, "id": [id]}),
            json!({"to": 7, "id": id}),
        ] {
            let value = json!({"kind": "text", "text": "hello", "copy_of": copy_of});
            assert_eq!(Body::from_value(&value), Ok(Body::text("hello")), "{value}");
        }
        let without_words = json!({"kind": "text", "copy_of": {"to": to, "id": id}});
        assert_eq!(Body::from_value(&without_words), Err(Fault::Malformed));
    }

    #[test]
    fn debug_shows_no_words() {
        let key = PublicKey::from_bytes([7; 32]);
        let message = Message {
            id: MessageId::from_bytes([1; 16]),
            primary: key,
            device: None,
            to: key,
            sent_at: Timestamp::from_unix(0),
            body: Body::text("secret words"),
        };
        insta::assert_compact_debug_snapshot!(message, @"Message { id: MessageId(01010101010101010101010101010101), primary: PublicKey(07070707…), device: None, to: PublicKey(07070707…), sent_at: Timestamp(0), body: Text(12 bytes) }");
        let signed =
            Signed::create(crate::Tag::Message, message.to_payload(), &crate::SecretKey::from_seed([1; 32]));
        insta::assert_compact_debug_snapshot!(signed, @"Signed { tag: Message, primary: PublicKey(07070707…), .. }");
        insta::assert_compact_debug_snapshot!([
            Body::Receipt { status: ReceiptStatus::Read, of: vec![message.id] },
            Body::PictureKey { key: PictureKey::from_bytes([9; 32]), picture: [9; 32] },
            Body::Unknown(json!({"kind": "secret"})),
        ], @"[Receipt(read of 1), PictureKey, Unknown]");
    }

    #[test]
    fn known_kinds_are_whole_or_malformed() {
        for value in [
            json!("text"),
            json!({}),
            json!({"kind": 1}),
            json!({"kind": "text"}),
            json!({"kind": "text", "text": 1}),
            json!({"kind": "receipt", "of": []}),
            json!({"kind": "receipt", "status": "read"}),
            json!({"kind": "receipt", "status": "read", "of": ["0123"]}),
            json!({"kind": "receipt", "status": "read", "of": ["0123456789ABCDEF0123456789ABCDEF"]}),
            json!({"kind": "picture_key", "key": "A".repeat(43)}),
            json!({"kind": "picture_key", "key": "A".repeat(43), "picture": "AB".repeat(32)}),
            json!({"kind": "picture_key", "key": "A".repeat(44), "picture": "ab".repeat(32)}),
        ] {
            assert_eq!(Body::from_value(&value), Err(Fault::Malformed), "{value}");
        }
    }
}
