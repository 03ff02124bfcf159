//! One event of a sigchain, before anybody asks which chain it continues (protocol section 6).

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{MAX_EVENT_BYTES, Op};
use crate::payload::Members;
use crate::{Fault, Primary, Signed, Tag, Timestamp};

/// An event whose signature holds. Whether it continues its chain is for [`super::Chain`] to say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// The identity whose chain it belongs to.
    pub primary: Primary,
    /// Its number in the chain, from 0.
    pub seq: u64,
    /// The hash of the event before it, `sha256:<hex>`.
    pub prev: Option<String>,
    /// When it was signed.
    pub created_at: Timestamp,
    /// What it does.
    pub op: Op,
    /// Its own hash, `sha256:<hex>`, which the next event names.
    pub hash: String,
}

/// Reads one event and checks its signature, for those who get it without its chain. The proof inside an operation
/// is not checked here, since its meaning depends on the chain.
///
/// # Errors
/// Those of [`Unplaced::parse`], then [`Fault::WrongSeq`] for a number below 0 and [`Fault::Malformed`] for an operation
/// whose own members are missing or of the wrong kind.
pub fn parse_event(event: &[u8]) -> Result<Event, Fault> {
    let read = Unplaced::parse(event)?;
    Ok(Event {
        primary: read.primary,
        seq: read.seq.ok_or(Fault::WrongSeq)?,
        hash: read.hash_text(),
        prev: read.prev,
        created_at: read.created_at,
        op: read.op?,
    })
}

/// An event's hash as events name it: `sha256:<hex>`.
pub(super) fn hash_text(hash: &[u8; 32]) -> String {
    format!("sha256:{}", HEXLOWER.encode(hash))
}

/// An event whose signature holds and whose place is open: [`super::Chain::place`] judges it, on as many chains as it
/// takes, without checking the signature again. Only [`Unplaced::parse`] makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unplaced {
    pub(super) primary: Primary,
    pub(super) seq: Option<u64>,
    pub(super) prev: Option<String>,
    pub(super) created_at: Timestamp,
    /// What is wrong with its own members comes after what is wrong with the event's place.
    pub(super) op: Result<Op, Fault>,
    pub(super) hash: [u8; 32],
    text: Vec<u8>,
}

impl Unplaced {
    /// Reads an event and checks its signature.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] beyond [`MAX_EVENT_BYTES`], those of [`Signed::parse`], [`Fault::Malformed`] for members that
    /// are missing or of the wrong kind.
    pub fn parse(event: &[u8]) -> Result<Self, Fault> {
        if event.len() > MAX_EVENT_BYTES {
            return Err(Fault::TooLarge);
        }
        let (signed, text) = Signed::parse_canonical(event, Tag::SigchainEvent)?;
        let members = Members(&signed.payload);
        let (op, payload) = (members.text("op")?, members.object("payload")?);
        Ok(Self {
            primary: signed.primary,
            seq: u64::try_from(members.integer("seq")?).ok(),
            prev: members.optional_text("prev")?.map(str::to_owned),
            created_at: members.time("created_at")?,
            op: Op::read(op, payload),
            hash: Sha256::digest(&text).into(),
            text,
        })
    }

    /// The identity whose chain it belongs to.
    pub fn primary(&self) -> Primary {
        self.primary
    }

    /// Its number in the chain, from 0; none for a number below 0, which no event of a chain has.
    pub fn seq(&self) -> Option<u64> {
        self.seq
    }

    /// What it does, if that can be read.
    pub fn op(&self) -> Option<&Op> {
        self.op.as_ref().ok()
    }

    /// SHA-256 of its JCS, signature included.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The hash as the next event names it, `sha256:<hex>`.
    pub fn hash_text(&self) -> String {
        hash_text(&self.hash)
    }

    /// The envelope's text: JCS of the whole, signature included.
    pub fn to_json(&self) -> &[u8] {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{Chain, Identifier, NostrSecret, SecretKey};

    const NOW: Timestamp = Timestamp::from_unix(1_779_678_000);

    fn add() -> Op {
        Op::Add { subject: Identifier::parse("github:alice").unwrap() }
    }

    #[test]
    fn says_what_the_chain_will_say() {
        let key = NostrSecret::from_bytes([1; 32]).unwrap();
        let mut chain = Chain::new(key.public());
        for seq in 0..3 {
            let op = if seq == 1 {
                Op::Revoke { subject: Identifier::parse("github:alice").unwrap() }
            } else {
                add()
            };
            let (prev, text) = (chain.head(), chain.sign_next(&op, NOW, &key));
            let unplaced = Unplaced::parse(&text).unwrap();
            let said = (unplaced.primary(), unplaced.seq(), unplaced.op(), unplaced.to_json());
            assert_eq!(said, (chain.primary(), Some(seq), Some(&op), text.as_slice()));
            let mut placed = chain.clone();
            placed.place(&unplaced).unwrap();
            chain.append(&text).unwrap();
            assert_eq!((&placed, Some(unplaced.hash_text())), (&chain, chain.head()));
            let hash = unplaced.hash_text();
            let event = Event { primary: key.public().into(), seq, prev, created_at: NOW, op, hash };
            assert_eq!(parse_event(&text), Ok(event));
        }
    }

    #[test]
    fn members_must_be_there() {
        let key = SecretKey::from_seed([1; 32]);
        let whole = json!({"seq": 0, "created_at": NOW, "op": "add", "payload": {"subject": "github:alice"}});
        let parse = |name: &str, value: Option<Value>| {
            let mut members = whole.as_object().cloned().unwrap();
            members.remove(name);
            members.extend(value.map(|value| (name.to_owned(), value)));
            parse_event(&Signed::create(Tag::SigchainEvent, members, &key).to_json()).map(|event| event.op)
        };
        assert_eq!(parse("prev", None), Ok(add()));
        for name in ["seq", "created_at", "op", "payload"] {
            for value in [None, Some(json!(null)), Some(json!([]))] {
                assert_eq!(parse(name, value.clone()), Err(Fault::Malformed), "{name} {value:?}");
            }
        }
        assert_eq!(parse("seq", Some(json!(-1))), Err(Fault::WrongSeq));
        assert_eq!(parse("prev", Some(json!(1))), Err(Fault::Malformed));
        assert_eq!(parse("payload", Some(json!({"subject": "alice"}))), Err(Fault::Malformed));
        assert_eq!(parse_event(&vec![b' '; MAX_EVENT_BYTES + 1]), Err(Fault::TooLarge));
    }
}
