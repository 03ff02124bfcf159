//! Sigchains as readers hold them: verified event by event, and compared with what was seen of them before.

mod download;
mod entry;
mod fault;
pub mod memory;

use kez_contract::sigchain::Head;
use kez_contract::{Document, Problem};
use kez_crypto::{Chain, Fault, Op, Primary, SecretKey, Timestamp};

pub use download::{PAGE, download};
pub use entry::Entry;
pub use fault::ChainFault;
pub use memory::Memory;

use crate::mail::{document, refusal};

/// A chain every event of which holds.
#[derive(Debug, Clone)]
pub struct Verified {
    chain: Chain,
    /// The hash of each event, by its number.
    heads: Vec<String>,
    events: Vec<Document>,
    keeps_events: bool,
}

impl Verified {
    /// Somebody's chain before its first event.
    pub fn new(primary: impl Into<Primary>) -> Self {
        Self { chain: Chain::new(primary), heads: Vec::new(), events: Vec::new(), keeps_events: true }
    }

    /// The chain of these events, which may come from anywhere.
    pub fn of(
        primary: impl Into<Primary>,
        events: impl IntoIterator<Item = Document>,
    ) -> Result<Self, ChainFault> {
        let mut verified = Self::new(primary);
        verified.extend(events)?;
        Ok(verified)
    }

    /// Verifies events that go on from what is here. Those before one that breaks a rule stay.
    pub fn extend(&mut self, events: impl IntoIterator<Item = Document>) -> Result<(), ChainFault> {
        events.into_iter().try_for_each(|event| self.append(event))
    }

    /// Verifies the next event.
    pub fn append(&mut self, event: Document) -> Result<(), ChainFault> {
        let seq = self.chain.length();
        let broken = |fault| ChainFault::Broken { seq, fault };
        self.chain.append_downloaded(event.get().as_bytes()).map_err(broken)?;
        self.heads.extend(self.chain.head());
        if self.keeps_events {
            self.events.push(event);
        }
        Ok(())
    }

    /// What the chain has come to.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    pub fn primary(&self) -> Primary {
        self.chain.primary()
    }

    /// How many events there are, which is also the next one's number.
    pub fn length(&self) -> u64 {
        self.chain.length()
    }

    /// The last event.
    pub fn head(&self) -> Option<Head> {
        Some(Head { seq: self.length().checked_sub(1)?, head: self.chain.head()? })
    }

    /// The hash of each event, by its number.
    pub fn heads(&self) -> &[String] {
        &self.heads
    }

    /// The events, as they were stored, unless they are not kept.
    pub fn events(&self) -> &[Document] {
        &self.events
    }

    /// The same without the events themselves, for who keeps many chains.
    pub fn without_events(self) -> Self {
        Self { events: Vec::new(), ..self }
    }

    /// The same without any event, and without those that come: for who reads many chains to ask one thing of each.
    pub fn keeping_no_events(self) -> Self {
        Self { keeps_events: false, ..self.without_events() }
    }

    /// The event that carries out `op` next, if the chain lets it.
    pub fn sign_next(&self, op: &Op, now: Timestamp, key: &SecretKey) -> Result<Document, Problem> {
        // The clock of another device of mine may run ahead of this one.
        let latest = self.events.last().and_then(|event| dated(event).ok());
        let created_at = latest.map_or(now, |latest| latest.max(now));
        let event = self.chain.sign_next(op, created_at, key);
        self.chain.clone().append(&event).map_err(refusal)?;
        document(event)
    }
}

/// When an event that holds was signed.
fn dated(event: &Document) -> Result<Timestamp, Fault> {
    let event = kez_crypto::json::parse(event.get().as_bytes())?;
    let created_at = event.pointer("/payload/created_at").and_then(serde_json::Value::as_str);
    Timestamp::parse(created_at.ok_or(Fault::Malformed)?)
}

#[cfg(test)]
pub(crate) mod tests {
    use kez_crypto::Identifier;

    use super::*;

    pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    pub(crate) fn alice() -> SecretKey {
        SecretKey::from_seed([1; 32])
    }

    pub(crate) fn add(subject: &str) -> Op {
        Op::Add { subject: Identifier::parse(subject).unwrap() }
    }

    /// Alice's chain, claiming these accounts of GitHub.
    pub(crate) fn claiming(names: &[&str]) -> Verified {
        let mut verified = Verified::new(alice().public());
        for name in names {
            let event = verified.sign_next(&add(&format!("github:{name}")), NOW, &alice()).unwrap();
            verified.append(event).unwrap();
        }
        verified
    }

    #[test]
    fn events_that_hold_are_kept_and_the_first_that_does_not_is_named() {
        let whole = claiming(&["a", "b", "c"]);
        let events = whole.events().to_vec();
        let again = Verified::of(alice().public(), events.clone()).unwrap();
        assert_eq!((again.head(), again.heads()), (whole.head(), whole.heads()));
        assert_eq!(again.head().unwrap().head, whole.heads()[2]);

        let mut gap = Verified::new(alice().public());
        let broken = gap.extend([events[0].clone(), events[2].clone()]).unwrap_err();
        assert_eq!(broken, ChainFault::Broken { seq: 1, fault: Fault::WrongSeq });
        assert_eq!(gap.head().unwrap().head, whole.heads()[0]);
    }

    #[test]
    fn what_the_chain_does_not_let_is_not_signed() {
        let refused = claiming(&["a"]).sign_next(&add("github:a"), NOW, &alice()).unwrap_err();
        assert_eq!(refused.code, kez_contract::Code::AlreadyActive);
    }

    #[test]
    fn a_clock_that_is_behind_dates_an_event_as_the_last_one() {
        let chain = claiming(&["a"]);
        let event = chain.sign_next(&add("github:b"), NOW.plus_seconds(-60), &alice()).unwrap();
        assert_eq!(dated(&event), Ok(NOW));
    }
}
