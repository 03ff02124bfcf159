//! Sigchains: an identity's history of accounts and devices, event by event (protocol section 6).

mod event;
mod op;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::payload::{payload, text};
use crate::{Fault, Identifier, Primary, PublicKey, Signed, Signer, Tag, Timestamp};
use event::hash_text;
pub use event::{Event, Unplaced, parse_event};
pub use op::{Op, device_proof, successor_proof};

/// The longest event, as text, in bytes.
pub const MAX_EVENT_BYTES: usize = 16 * 1024;

/// The most events that a chain may have.
pub const MAX_EVENTS: u64 = 10_000;

/// What a chain of valid events has come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chain {
    primary: Primary,
    length: u64,
    head: Option<[u8; 32]>,
    latest: Option<Timestamp>,
    claims: BTreeSet<Identifier>,
    revoked: BTreeSet<Identifier>,
    devices: BTreeMap<PublicKey, String>,
    successor: Option<PublicKey>,
}

impl Chain {
    /// An identity's chain before its first event.
    pub fn new(primary: impl Into<Primary>) -> Self {
        Self {
            primary: primary.into(),
            length: 0,
            head: None,
            latest: None,
            claims: BTreeSet::new(),
            revoked: BTreeSet::new(),
            devices: BTreeMap::new(),
            successor: None,
        }
    }

    /// Appends an event as a service does, which refuses what it does not know. A refused event changes nothing.
    ///
    /// # Errors
    /// The first that applies: [`Fault::TooLarge`] beyond [`MAX_EVENT_BYTES`], those of [`Signed::parse`],
    /// [`Fault::WrongPrimary`], [`Fault::ChainClosed`], [`Fault::TooLarge`] beyond [`MAX_EVENTS`], [`Fault::WrongSeq`],
    /// [`Fault::WrongPrev`], [`Fault::ClockBackwards`], then the operation's own: [`Fault::AlreadyActive`],
    /// [`Fault::NotActive`], [`Fault::BadProof`], [`Fault::UnknownOp`].
    pub fn append(&mut self, event: &[u8]) -> Result<(), Fault> {
        self.place(&Unplaced::parse(event)?)
    }

    /// Like [`Chain::append`], for an event whose signature was checked already.
    ///
    /// # Errors
    /// Those of [`Chain::append`] from [`Fault::WrongPrimary`] on.
    pub fn place(&mut self, event: &Unplaced) -> Result<(), Fault> {
        match self.check_place(event)? {
            Op::Unknown => Err(Fault::UnknownOp),
            op => self.take(op, event),
        }
    }

    /// Appends an event as a reader of a downloaded chain does: an unknown operation is hashed and has no effect.
    ///
    /// # Errors
    /// Those of [`Chain::append`] without [`Fault::UnknownOp`].
    pub fn append_downloaded(&mut self, event: &[u8]) -> Result<(), Fault> {
        self.place_downloaded(&Unplaced::parse(event)?)
    }

    /// Like [`Chain::append_downloaded`], for an event whose signature was checked already.
    ///
    /// # Errors
    /// Those of [`Chain::place`] without [`Fault::UnknownOp`].
    pub fn place_downloaded(&mut self, event: &Unplaced) -> Result<(), Fault> {
        let op = self.check_place(event)?;
        self.take(op, event)
    }

    /// Signs the event that carries out `op` next, as the chain's own identity; its JCS text, for [`Chain::append`] to
    /// judge.
    pub fn sign_next<'a>(&self, op: &Op, created_at: Timestamp, key: impl Into<Signer<'a>>) -> Vec<u8> {
        let members = payload([
            ("primary", text(&self.primary)),
            ("seq", Some(self.length.into())),
            ("prev", self.head().as_deref().and_then(text)),
            ("created_at", text(&created_at)),
            ("op", text(op.name())),
            ("payload", Some(Value::Object(op.to_payload()))),
        ]);
        Signed::create(Tag::SigchainEvent, members, key).to_json()
    }

    /// The identity whose chain it is.
    pub fn primary(&self) -> Primary {
        self.primary
    }

    /// How many events there are, which is also the next one's `seq`.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The hash of the last event's envelope, `sha256:<hex>`; none before the first.
    pub fn head(&self) -> Option<String> {
        self.head.as_ref().map(hash_text)
    }

    /// The accounts that the identity claims now, in order.
    pub fn claims(&self) -> impl Iterator<Item = &Identifier> {
        self.claims.iter()
    }

    /// Whether the identity claims the account now.
    pub fn is_claimed(&self, account: &Identifier) -> bool {
        self.claims.contains(account)
    }

    /// Whether the identity claimed the account once, has taken that back and has not claimed it again.
    pub fn was_revoked(&self, account: &Identifier) -> bool {
        self.revoked.contains(account)
    }

    /// The devices that may sign for the identity now, in order, with their names.
    pub fn devices(&self) -> impl Iterator<Item = (&PublicKey, &str)> {
        self.devices.iter().map(|(device, name)| (device, name.as_str()))
    }

    /// Whether this device may sign for the identity now ([`Fault::UnknownDevice`] otherwise).
    pub fn has_device(&self, device: &PublicKey) -> bool {
        self.devices.contains_key(device)
    }

    /// The identity that this one has become, which closes the chain.
    pub fn successor(&self) -> Option<PublicKey> {
        self.successor
    }

    /// Checks an event's place: everything but its operation's own rule.
    fn check_place(&self, event: &Unplaced) -> Result<Op, Fault> {
        if event.primary != self.primary {
            return Err(Fault::WrongPrimary);
        }
        if self.successor.is_some() {
            return Err(Fault::ChainClosed);
        }
        if self.length >= MAX_EVENTS {
            return Err(Fault::TooLarge);
        }
        if event.seq != Some(self.length) {
            return Err(Fault::WrongSeq);
        }
        if event.prev != self.head() {
            return Err(Fault::WrongPrev);
        }
        if self.latest.is_some_and(|latest| event.created_at < latest) {
            return Err(Fault::ClockBackwards);
        }
        event.op.clone()
    }

    /// Checks the operation's own rule and, if it holds, moves on.
    fn take(&mut self, op: Op, event: &Unplaced) -> Result<(), Fault> {
        match op {
            Op::Add { subject } => {
                if self.is_active(&subject) {
                    return Err(Fault::AlreadyActive);
                }
                self.revoked.remove(&subject);
                self.claims.insert(subject);
            }
            Op::Revoke { subject } => {
                let device = PublicKey::parse(subject.as_str()).ok();
                let was_device = device.is_some_and(|device| self.devices.remove(&device).is_some());
                let was_claimed = self.claims.remove(&subject);
                if !was_claimed && !was_device {
                    return Err(Fault::NotActive);
                }
                if was_claimed {
                    self.revoked.insert(subject);
                }
            }
            Op::AddDevice { device, name, proof } => {
                if self.is_active(&device.into()) {
                    return Err(Fault::AlreadyActive);
                }
                op::check_device(&self.primary, &device, &proof)?;
                self.devices.insert(device, name);
            }
            Op::Rotate { successor, proof } => {
                op::check_successor(&self.primary, &successor, &proof)?;
                self.successor = Some(successor);
            }
            Op::Unknown => {}
        }
        self.length += 1;
        self.head = Some(event.hash);
        self.latest = Some(event.created_at);
        Ok(())
    }

    /// Whether it is claimed or a device now. They share one set of names, so that a revocation means one thing.
    fn is_active(&self, subject: &Identifier) -> bool {
        self.claims.contains(subject)
            || PublicKey::parse(subject.as_str()).is_ok_and(|device| self.devices.contains_key(&device))
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;
    use crate::{NostrSecret, SecretKey};

    const NOW: Timestamp = Timestamp::from_unix(1_779_678_000);

    fn alice() -> SecretKey {
        SecretKey::from_seed([1; 32])
    }

    fn add(subject: &str) -> Op {
        Op::Add { subject: Identifier::parse(subject).unwrap() }
    }

    fn add_device(secret: &SecretKey) -> Op {
        let proof = HEXLOWER.encode(&device_proof(alice().public(), secret));
        Op::AddDevice { device: secret.public(), name: "laptop".into(), proof }
    }

    fn try_next(chain: &mut Chain, op: &Op, at: Timestamp) -> Result<(), Fault> {
        let event = chain.sign_next(op, at, &alice());
        chain.append(&event)
    }

    #[test]
    fn a_refused_event_changes_nothing() {
        let mut chain = Chain::new(alice().public());
        try_next(&mut chain, &add("github:alice"), NOW).unwrap();
        let before = chain.clone();
        assert_eq!(try_next(&mut chain, &add("github:alice"), NOW), Err(Fault::AlreadyActive));
        assert_eq!(
            try_next(&mut chain, &add("dns:a.example"), NOW.plus_seconds(-1)),
            Err(Fault::ClockBackwards)
        );
        let event = chain.sign_next(&add("dns:a.example"), NOW, &SecretKey::from_seed([2; 32]));
        assert_eq!(chain.append(&event), Err(Fault::KeyMismatch));
        assert_eq!(chain, before);
    }

    #[test]
    fn devices_and_claims_share_their_names() {
        let mut chain = Chain::new(alice().public());
        let device = SecretKey::from_seed([3; 32]);
        let subject = Identifier::from(device.public());
        try_next(&mut chain, &add_device(&device), NOW).unwrap();
        assert_eq!(try_next(&mut chain, &add_device(&device), NOW), Err(Fault::AlreadyActive));
        assert_eq!(try_next(&mut chain, &add(subject.as_str()), NOW), Err(Fault::AlreadyActive));
        assert!(chain.has_device(&device.public()));
        try_next(&mut chain, &Op::Revoke { subject }, NOW).unwrap();
        assert!(!chain.has_device(&device.public()));
        try_next(&mut chain, &add_device(&device), NOW).unwrap();
    }

    #[test]
    fn revoked_claims_are_remembered() {
        let mut chain = Chain::new(alice().public());
        let account = Identifier::parse("github:alice").unwrap();
        let seen = |chain: &Chain| (chain.is_claimed(&account), chain.was_revoked(&account));
        assert_eq!(seen(&chain), (false, false));
        for _ in 0..2 {
            try_next(&mut chain, &add("github:alice"), NOW).unwrap();
            assert_eq!(seen(&chain), (true, false));
            try_next(&mut chain, &Op::Revoke { subject: account.clone() }, NOW).unwrap();
            assert_eq!(seen(&chain), (false, true));
        }
        let device = SecretKey::from_seed([3; 32]);
        let subject = Identifier::from(device.public());
        try_next(&mut chain, &add_device(&device), NOW).unwrap();
        try_next(&mut chain, &Op::Revoke { subject: subject.clone() }, NOW).unwrap();
        assert!(!chain.was_revoked(&subject));
    }

    #[test]
    fn nostr_identities_have_chains_too() {
        let key = NostrSecret::from_bytes([1; 32]).unwrap();
        let mut chain = Chain::new(key.public());
        let (device, successor) = (SecretKey::from_seed([3; 32]), SecretKey::from_seed([4; 32]));
        let ops = [
            add("github:alice"),
            Op::AddDevice {
                device: device.public(),
                name: "laptop".into(),
                proof: HEXLOWER.encode(&device_proof(key.public(), &device)),
            },
            Op::Rotate {
                successor: successor.public(),
                proof: HEXLOWER.encode(&successor_proof(key.public(), &successor)),
            },
        ];
        for op in ops {
            let event = chain.sign_next(&op, NOW, &alice());
            assert_eq!(chain.append(&event), Err(Fault::KeyMismatch));
            let event = chain.sign_next(&op, NOW, &key);
            assert_eq!(chain.append(&event), Ok(()));
            assert_eq!(Chain::new(alice().public()).append(&event), Err(Fault::WrongPrimary));
        }
        assert_eq!(chain.successor(), Some(successor.public()));
    }

    #[test]
    fn readers_keep_what_they_do_not_know() {
        let mut chain = Chain::new(alice().public());
        let event = chain.sign_next(&Op::Unknown, NOW, &alice());
        assert_eq!(chain.append(&event), Err(Fault::UnknownOp));
        chain.append_downloaded(&event).unwrap();
        assert_eq!((chain.length(), chain.claims().count()), (1, 0));
        assert!(chain.head().is_some());
        try_next(&mut chain, &add("github:alice"), NOW).unwrap();
    }

    #[test]
    fn an_event_is_bounded() {
        let mut chain = Chain::new(alice().public());
        let name = "x".repeat(MAX_EVENT_BYTES);
        let device = Op::AddDevice { device: alice().public(), name, proof: String::new() };
        assert_eq!(try_next(&mut chain, &device, NOW), Err(Fault::TooLarge));
    }
}
