//! Sealed messages: what a server carries without knowing who wrote what to whom (protocol section 8).
//!
//! Whoever holds the recipient's key opens every past message: this format is not forward-secret.

mod hpke_suite;
mod padding;
mod text;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::{Fault, Message, SecretKey, Signed, Tag, Timestamp};
use text::Text;

/// The longest sealed message, as text, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

const VERSION: i64 = 2;
const MAX_AGE_SECONDS: i64 = 7 * 24 * 60 * 60;
const MAX_AHEAD_SECONDS: i64 = 5 * 60;

/// A message sealed to someone: HPKE base mode with DHKEM(X25519), HKDF-SHA256 and AES-256-GCM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sealed {
    /// The ephemeral public key, 32 bytes.
    pub enc: [u8; 32],
    /// The ciphertext: a multiple of 256 bytes, and the 16 bytes of its tag.
    pub ct: Vec<u8>,
}

/// A sealed message as a server keeps it, checked in form only.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Carried {
    /// Its JCS text.
    pub canonical: Vec<u8>,
    /// Lower-case hex SHA-256 of the JCS text: the same for the same message, so that retries do not duplicate.
    pub transport_id: String,
}

/// Checks a sealed message's form and gives its canonical text and transport id, in one pass without decoding.
///
/// # Errors
/// [`Fault::TooLarge`] beyond [`MAX_BYTES`]; [`Fault::Malformed`] unless it is strict JSON of exactly `v`, `enc` and
/// `ct`, both base64url without padding characters, with lengths that sealing yields; [`Fault::UnsupportedVersion`]
/// when `v` is not 2.
pub fn carry(sealed: &[u8]) -> Result<Carried, Fault> {
    let canonical = Text::parse(sealed)?.canonical();
    let transport_id = HEXLOWER.encode(&Sha256::digest(&canonical));
    Ok(Carried { canonical, transport_id })
}

impl Sealed {
    /// Reads a sealed message.
    ///
    /// # Errors
    /// Those of [`carry`].
    pub fn parse(sealed: &[u8]) -> Result<Self, Fault> {
        let text = Text::parse(sealed)?;
        let enc = URL_SAFE_NO_PAD.decode(text.enc.as_bytes()).map_err(|_| Fault::Malformed)?;
        Ok(Self {
            enc: enc.try_into().map_err(|_| Fault::Malformed)?,
            ct: URL_SAFE_NO_PAD.decode(text.ct.as_bytes()).map_err(|_| Fault::Malformed)?,
        })
    }

    /// The sealed message's JCS text, `{"ct":"…","enc":"…","v":2}`.
    pub fn canonical(&self) -> Vec<u8> {
        let (enc, ct) = (URL_SAFE_NO_PAD.encode(self.enc), URL_SAFE_NO_PAD.encode(&self.ct));
        Text { enc: enc.into(), ct: ct.into() }.canonical()
    }

    /// The message's id for retries that must not duplicate: lower-case hex SHA-256 of its JCS text.
    pub fn transport_id(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.canonical()))
    }
}

/// Signs a message and seals it to its recipient. `random` must be 32 fresh bytes from the system's random source,
/// never used before: the ephemeral key grows from them (RFC 9180, `DeriveKeyPair`).
///
/// # Errors
/// [`Fault::KeyMismatch`] when `sender` is neither the message's device nor, where it names none, its primary;
/// [`Fault::Malformed`] when the recipient's key is no usable point or an unknown body is no strict JSON;
/// [`Fault::TooLarge`] when the result would be longer than [`MAX_BYTES`].
pub fn seal(message: &Message, sender: &SecretKey, random: [u8; 32]) -> Result<Sealed, Fault> {
    if sender.public() != message.device.unwrap_or(message.primary) {
        return Err(Fault::KeyMismatch);
    }
    let signed = Signed::create(Tag::Message, message.to_payload(), sender);
    let plaintext = padding::pad(signed.to_json());
    let sealed = hpke_suite::seal(&plaintext, &message.to, random)?;
    if sealed.canonical().len() > MAX_BYTES { Err(Fault::TooLarge) } else { Ok(sealed) }
}

/// Opens a message that was sealed to me, in protocol section 8's order. Whether its id was seen before
/// ([`crate::Seen`]) and whether its device is active are the caller's to check.
///
/// # Errors
/// [`Fault::CannotOpen`]; [`Fault::Malformed`] when the padding is wrong; those of [`Signed::parse`] and
/// [`Message::from_signed`]; [`Fault::WrongRecipient`]; [`Fault::Stale`] when it was sent more than seven days ago
/// or more than five minutes ahead of `now`.
pub fn open(sealed: &Sealed, me: &SecretKey, now: Timestamp) -> Result<Message, Fault> {
    let message = open_archived(sealed, me)?;
    let age = now.seconds_since(message.sent_at);
    if (-MAX_AHEAD_SECONDS..=MAX_AGE_SECONDS).contains(&age) { Ok(message) } else { Err(Fault::Stale) }
}

/// Opens a message from my own archive, however old it is.
///
/// # Errors
/// Those of [`open`], without [`Fault::Stale`].
pub fn open_archived(sealed: &Sealed, me: &SecretKey) -> Result<Message, Fault> {
    let signed = open_envelope(sealed, me)?;
    let message = Message::from_signed(&signed)?;
    if message.to == me.public() { Ok(message) } else { Err(Fault::WrongRecipient) }
}

/// Opens a message to the signed envelope inside, whoever it is written to.
pub(crate) fn open_envelope(sealed: &Sealed, me: &SecretKey) -> Result<Signed, Fault> {
    let plaintext = hpke_suite::open(sealed, me)?;
    Signed::parse(padding::unpad(&plaintext)?, Tag::Message)
}
