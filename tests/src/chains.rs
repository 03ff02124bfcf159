//! Sigchains in a test: events signed and handed in as the gateway hands them in, and chains read back.

use async_nats::Client as Nats;
use kez_contract::Problem;
use kez_contract::sigchain::{Append, Appended, EventPage, Events, MAX_PAGE, WEB_APPEND, WEB_EVENTS};
use kez_crypto::chain::{device_proof, successor_proof};
use kez_crypto::{Chain, Identifier, Op, Primary, PublicKey, SecretKey, Signer, Timestamp};
use kez_service::{Clock, ask};
use serde_json::value::RawValue;

use crate::mesh::Mesh;

/// Whoever hands events in and reads them, without being anybody.
pub struct Chains {
    nats: Nats,
}

impl Chains {
    pub async fn of(mesh: &Mesh) -> Self {
        Self { nats: mesh.user("gateway").await }
    }

    /// Hands in an event as it is.
    pub async fn hand_in(&self, event: &[u8]) -> Result<Appended, Problem> {
        let event = RawValue::from_string(String::from_utf8(event.to_vec()).unwrap()).unwrap();
        ask(&self.nats, WEB_APPEND, &Append { event }).await
    }

    /// Signs what comes next in a chain and hands it in.
    pub async fn append<'k>(
        &self,
        chain: &mut Chain,
        op: &Op,
        key: impl Into<Signer<'k>>,
    ) -> Result<Appended, Problem> {
        let event = chain.sign_next(op, now(), key);
        let appended = self.hand_in(&event).await?;
        chain.append(&event).unwrap();
        Ok(appended)
    }

    /// One page of a chain.
    pub async fn page(&self, primary: &Primary, since: u64, limit: u32) -> Result<EventPage, Problem> {
        ask(&self.nats, WEB_EVENTS, &Events { primary: primary.to_string(), since, limit }).await
    }

    /// The events of a chain, word by word.
    pub async fn events(&self, primary: &Primary) -> Vec<Vec<u8>> {
        let mut events = Vec::new();
        loop {
            let page = self.page(primary, events.len() as u64, MAX_PAGE).await.unwrap();
            events.extend(page.events.iter().map(|event| event.get().as_bytes().to_vec()));
            if !page.more {
                return events;
            }
        }
    }

    /// The whole chain, verified.
    pub async fn read(&self, primary: impl Into<Primary>) -> Chain {
        let mut chain = Chain::new(primary.into());
        for event in self.events(&chain.primary()).await {
            chain.append_downloaded(&event).unwrap();
        }
        chain
    }
}

/// The claim of an account.
pub fn add(subject: &str) -> Op {
    Op::Add { subject: identifier(subject) }
}

/// The claim taken back.
pub fn revoke(subject: &str) -> Op {
    Op::Revoke { subject: identifier(subject) }
}

/// A device that has agreed to speak for `primary`.
pub fn add_device(primary: PublicKey, device: &SecretKey, name: &str) -> Op {
    let proof = hex(&device_proof(primary, device));
    Op::AddDevice { device: device.public(), name: name.to_owned(), proof }
}

/// The device taken back.
pub fn revoke_device(device: &SecretKey) -> Op {
    revoke(&device.public().identifier())
}

/// A key that has agreed to follow `primary`.
pub fn rotate(primary: PublicKey, successor: &SecretKey) -> Op {
    Op::Rotate { successor: successor.public(), proof: hex(&successor_proof(primary, successor)) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn identifier(text: &str) -> Identifier {
    Identifier::parse(text).unwrap()
}

/// Now, by people's clocks.
pub fn now() -> Timestamp {
    Timestamp::from_unix(Clock::default().now())
}
