//! One chain, verified event by event, and where each event lies in the stream.

use std::collections::BTreeMap;

use anyhow::anyhow;
use kez_contract::sigchain::Head;
use kez_crypto::chain::{Op, Unplaced};
use kez_crypto::{Chain, Fault, Identifier, Primary};

use crate::store::Stored;

/// A chain up to some sequence of the stream.
pub struct Known {
    chain: Chain,
    links: Vec<Link>,
    /// Active claims, each with the number of the event that made it.
    claimed: BTreeMap<Identifier, usize>,
    /// The stream's sequence of the last message under the chain's subject, event or not.
    last_sequence: u64,
    /// The stream holds something here that is no event of the chain: nothing can follow it.
    broken: bool,
}

/// Where an event lies, and its hash.
#[derive(Clone, Copy)]
struct Link {
    sequence: u64,
    hash: [u8; 32],
}

/// What becomes of an event that is to be appended.
pub enum Judgement {
    /// It follows, and this is the chain with it.
    Follows(Chain),
    /// It stands in the chain already.
    Stored(Head),
    Refused(Fault),
}

impl Known {
    pub fn new(primary: Primary) -> Self {
        Self {
            chain: Chain::new(primary),
            links: Vec::new(),
            claimed: BTreeMap::new(),
            last_sequence: 0,
            broken: false,
        }
    }

    pub fn primary(&self) -> Primary {
        self.chain.primary()
    }

    /// The state that the chain's events have come to.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The last event, none while there is none.
    pub fn head(&self) -> Option<Head> {
        Some(Head { seq: self.chain.length().checked_sub(1)?, head: self.chain.head()? })
    }

    /// The stream's sequence of the last thing under the chain's subject, 0 while there is nothing.
    pub fn last_sequence(&self) -> u64 {
        self.last_sequence
    }

    /// The stream's sequence after which event number `seq` and those that follow lie; none when there is no such event.
    pub fn sequence_before(&self, seq: u64) -> Option<u64> {
        let link = self.links.get(usize::try_from(seq).ok()?)?;
        Some(link.sequence - 1)
    }

    /// Active claims with the stream's sequence of the event that made each.
    pub fn claims(&self) -> impl Iterator<Item = (&Identifier, u64)> {
        self.claimed.iter().filter_map(|(subject, event)| Some((subject, self.links.get(*event)?.sequence)))
    }

    /// What becomes of an event, without changing anything.
    pub fn judge(&self, event: &Unplaced) -> anyhow::Result<Judgement> {
        let seq = event.seq().and_then(|seq| usize::try_from(seq).ok());
        let there = seq.and_then(|seq| self.links.get(seq));
        if there.is_some_and(|link| link.hash == *event.hash()) {
            return Ok(Judgement::Stored(head_of(event)));
        }
        if self.broken {
            return Err(anyhow!("the stream holds something under a chain's subject that is no event of it"));
        }
        let mut chain = self.chain.clone();
        Ok(match chain.place(event) {
            Ok(()) => Judgement::Follows(chain),
            Err(fault) => Judgement::Refused(fault),
        })
    }

    /// Takes an event that was judged to follow, and then stored there.
    pub fn take(&mut self, chain: Chain, event: &Unplaced, sequence: u64) -> Head {
        self.chain = chain;
        self.note(event, sequence);
        head_of(event)
    }

    /// Takes what the stream holds next. What is no event of this chain counts for nothing, nor does what follows it.
    pub fn read(&mut self, stored: &Stored) {
        self.last_sequence = stored.sequence;
        if self.broken {
            return;
        }
        let taken = Unplaced::parse(&stored.event)
            .and_then(|event| self.chain.place_downloaded(&event).map(|()| event));
        match taken {
            Ok(event) => self.note(&event, stored.sequence),
            Err(fault) => {
                tracing::error!(
                    fault = fault.code(),
                    "the stream holds something that is no event of its chain"
                );
                self.broken = true;
            }
        }
    }

    /// About as many bytes as it takes.
    pub fn bytes(&self) -> usize {
        let subjects: usize = self.claimed.keys().map(|subject| 2 * subject.as_str().len() + 64).sum();
        size_of::<Self>() + self.links.len() * size_of::<Link>() + subjects
    }

    fn note(&mut self, event: &Unplaced, sequence: u64) {
        let number = self.links.len();
        match event.op() {
            Some(Op::Add { subject }) => {
                self.claimed.insert(subject.clone(), number);
            }
            Some(Op::Revoke { subject }) => {
                self.claimed.remove(subject);
            }
            _ => {}
        }
        self.last_sequence = sequence;
        self.links.push(Link { sequence, hash: *event.hash() });
    }
}

/// The number and the hash of an event.
pub fn head_of(event: &Unplaced) -> Head {
    Head { seq: event.seq().unwrap_or_default(), head: event.hash_text() }
}
