//! Messages written and opened: what both the NATS and the HTTP client do with sealed mail.

use kez_contract::inbox::Stored;
use kez_contract::{Code, Document, Problem};
use kez_crypto::{
    Body, Copied, Fault, Message, MessageId, PublicKey, Sealed, SecretKey, Timestamp, open, seal,
};

use crate::speaker::Speaker;

/// A message of my mailbox, opened or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub seq: u64,
    /// RFC 3339, UTC, whole seconds.
    pub received_at: String,
    pub opened: Result<Message, Fault>,
}

/// A message that cannot be judged yet: whether the device that signed it is its sender's cannot be told now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub seq: u64,
    pub received_at: String,
    /// Why not.
    pub problem: Problem,
}

/// A message that was opened, before it is known whether who signed it speaks for its sender.
pub(crate) struct Opened(Received);

impl Opened {
    /// Opens it now, but not before the server had it: with a clock that is behind, all that comes would seem to be from a
    /// time to come.
    pub(crate) fn new(stored: &Stored, me: &SecretKey, now: Timestamp) -> Self {
        let now = Timestamp::parse(&stored.received_at).map_or(now, |received_at| now.max(received_at));
        let opened =
            Sealed::parse(stored.envelope.get().as_bytes()).and_then(|sealed| open(&sealed, me, now));
        Self(Received { seq: stored.seq, received_at: stored.received_at.clone(), opened })
    }

    /// The sender, and the device that signed for them, if one did.
    pub(crate) fn device(&self) -> Option<(PublicKey, PublicKey)> {
        let message = self.0.opened.as_ref().ok()?;
        Some((message.primary, message.device?))
    }

    /// The message, now that the sender's sigchain has said whether that device is theirs.
    pub(crate) fn judged(self, device_is_active: bool) -> Received {
        // Anybody can sign as a device.
        if self.device().is_none() || device_is_active {
            return self.0;
        }
        Received { opened: Err(Fault::UnknownDevice), ..self.0 }
    }
}

impl Received {
    /// Opens a stored message, which its sender signed in person: no device is believed without the sender's sigchain.
    pub fn open(stored: &Stored, me: &SecretKey, now: Timestamp) -> Self {
        Opened::new(stored, me, now).judged(false)
    }

    /// The words, if it is a text and was opened.
    pub fn text(&self) -> Option<&str> {
        match &self.opened {
            Ok(Message { body: Body::Text { text, .. }, .. }) => Some(text),
            _ => None,
        }
    }

    /// Of what it is a copy, if it is one: of what another device of `me` has sent. Nobody else says what I have sent.
    pub fn copied(&self, me: &PublicKey) -> Option<Copied> {
        match &self.opened {
            Ok(Message { primary, body: Body::Text { copy_of, .. }, .. }) if primary == me => *copy_of,
            _ => None,
        }
    }

    /// Who wrote it, if it was opened.
    pub fn from(&self) -> Option<PublicKey> {
        self.opened.as_ref().ok().map(|message| message.primary)
    }
}

/// A text, signed by me and sealed to somebody.
pub fn write(
    me: &Speaker,
    to: &PublicKey,
    text: &str,
    now: Timestamp,
) -> Result<(MessageId, Sealed), Problem> {
    write_body(me, to, Body::text(text), now)
}

/// A copy of a text that I have sent, sealed to myself: my other devices learn of it by that.
pub fn write_copy(me: &Speaker, copied: Copied, text: &str, sent_at: Timestamp) -> Result<Sealed, Problem> {
    let body = Body::Text { text: text.to_owned(), copy_of: Some(copied) };
    write_body(me, &me.primary(), body, sent_at).map(|(_, sealed)| sealed)
}

fn write_body(
    me: &Speaker,
    to: &PublicKey,
    body: Body,
    now: Timestamp,
) -> Result<(MessageId, Sealed), Problem> {
    let message = Message {
        id: MessageId::from_bytes(kez_service::random::bytes()),
        primary: me.primary(),
        device: me.as_device(),
        to: *to,
        sent_at: now,
        body,
    };
    let sealed = seal(&message, me.key(), kez_service::random::bytes()).map_err(refusal)?;
    Ok((message.id, sealed))
}

/// A sealed message as requests carry it.
pub fn document(canonical: Vec<u8>) -> Result<Document, Problem> {
    String::from_utf8(canonical)
        .ok()
        .and_then(|text| serde_json::value::RawValue::from_string(text).ok())
        .ok_or_else(|| Problem::new(Code::Malformed, "the document is not JSON"))
}

/// A fault of the protocol, as a refusal of the same name.
pub fn refusal(fault: Fault) -> Problem {
    Problem::new(Code::named(fault.code()).unwrap_or(Code::Malformed), fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_unix(1_800_000_000)
    }

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed([seed; 32])
    }

    fn stored(sealed: &Sealed) -> Stored {
        let envelope = document(sealed.canonical()).unwrap();
        Stored { seq: 3, received_at: "1970-01-01T00:00:00Z".to_owned(), envelope }
    }

    #[test]
    fn what_is_written_to_me_opens_for_me_alone() {
        let (alice, bob, eve) = (key(1), key(2), key(3));
        let (id, sealed) = write(&Speaker::from(&alice), &bob.public(), "hi", now()).unwrap();
        let received = Received::open(&stored(&sealed), &bob, now());
        assert_eq!((received.text(), received.from()), (Some("hi"), Some(alice.public())));
        assert_eq!(received.opened.unwrap().id, id);
        assert_eq!(Received::open(&stored(&sealed), &eve, now()).opened, Err(Fault::CannotOpen));
    }

    #[test]
    fn what_i_have_sent_i_alone_can_say() {
        let (alice, eve) = (key(1), key(3));
        let copied = Copied { to: key(2).public(), id: MessageId::from_bytes([5; 16]) };
        let mine = write_copy(&Speaker::from(&alice), copied, "hi bob", now()).unwrap();
        let received = Received::open(&stored(&mine), &alice, now());
        assert_eq!((received.text(), received.copied(&alice.public())), (Some("hi bob"), Some(copied)));

        let body = Body::Text { text: "hi bob".to_owned(), copy_of: Some(copied) };
        let (_, hers) = write_body(&Speaker::from(&eve), &alice.public(), body, now()).unwrap();
        let received = Received::open(&stored(&hers), &alice, now());
        assert_eq!((received.text(), received.copied(&alice.public())), (Some("hi bob"), None));
    }

    #[test]
    fn a_device_that_nobody_vouches_for_is_refused() {
        let (alice, bob, device) = (key(1), key(2), key(3));
        let message = Message {
            id: MessageId::from_bytes([0; 16]),
            primary: alice.public(),
            device: Some(device.public()),
            to: bob.public(),
            sent_at: now(),
            body: Body::text("it is me, alice"),
        };
        let sealed = seal(&message, &device, [9; 32]).unwrap();
        assert_eq!(Received::open(&stored(&sealed), &bob, now()).opened, Err(Fault::UnknownDevice));

        let opened = || Opened::new(&stored(&sealed), &bob, now());
        assert_eq!(opened().device(), Some((alice.public(), device.public())));
        assert_eq!(opened().judged(true).text(), Some("it is me, alice"));
        assert_eq!(opened().judged(false).opened, Err(Fault::UnknownDevice));
    }
}
