//! What an event of a sigchain does, and the proofs of keys that must agree to it.

use serde_json::{Map, Value};

use crate::envelope::signature_from_hex;
use crate::payload::{Members, payload, text};
use crate::{Fault, Identifier, Primary, PublicKey, SecretKey, json};

const DEVICE: &str = "device";
const SUCCESSOR: &str = "successor";

/// An operation on a sigchain (protocol section 6).
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Op {
    /// The identity claims an account.
    Add {
        /// The account.
        subject: Identifier,
    },
    /// The identity takes back a claim or a device.
    Revoke {
        /// The account, or the device's key.
        subject: Identifier,
    },
    /// A device may sign for the identity.
    AddDevice {
        /// The device's key.
        device: PublicKey,
        /// What people call it.
        name: String,
        /// The device's own signature, in hex; see [`device_proof`].
        proof: String,
    },
    /// The identity moves to another key, and its chain ends.
    Rotate {
        /// The other key.
        successor: PublicKey,
        /// The other key's own signature, in hex; see [`successor_proof`].
        proof: String,
    },
    /// An operation that this version does not know.
    Unknown,
}

/// A device's agreement to sign for an identity: its signature over JCS `{"type":"kez.device","primary","device"}`.
pub fn device_proof(primary: impl Into<Primary>, device: &SecretKey) -> [u8; 64] {
    device.sign(&agreement(DEVICE, &primary.into(), &device.public()))
}

/// A key's agreement to follow an identity: its signature over JCS `{"type":"kez.successor","primary","successor"}`.
pub fn successor_proof(primary: impl Into<Primary>, successor: &SecretKey) -> [u8; 64] {
    successor.sign(&agreement(SUCCESSOR, &primary.into(), &successor.public()))
}

pub(super) fn check_device(primary: &Primary, device: &PublicKey, proof: &str) -> Result<(), Fault> {
    check(DEVICE, primary, device, proof)
}

pub(super) fn check_successor(primary: &Primary, successor: &PublicKey, proof: &str) -> Result<(), Fault> {
    check(SUCCESSOR, primary, successor, proof)
}

impl Op {
    /// Reads an operation's members; those of unknown operations are not looked at.
    pub(super) fn read(name: &str, members: &Map<String, Value>) -> Result<Self, Fault> {
        let members = Members(members);
        let subject = || Identifier::parse(members.text("subject")?);
        let proof = || members.text("proof").map(str::to_owned);
        Ok(match name {
            "add" => Self::Add { subject: subject()? },
            "revoke" => Self::Revoke { subject: subject()? },
            "add_device" => Self::AddDevice {
                device: members.key(DEVICE)?,
                name: members.text("name")?.into(),
                proof: proof()?,
            },
            "rotate" => Self::Rotate { successor: members.key(SUCCESSOR)?, proof: proof()? },
            _ => Self::Unknown,
        })
    }

    /// The event's `op` member.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Add { .. } => "add",
            Self::Revoke { .. } => "revoke",
            Self::AddDevice { .. } => "add_device",
            Self::Rotate { .. } => "rotate",
            Self::Unknown => "unknown",
        }
    }

    /// The event's `payload` member.
    pub(super) fn to_payload(&self) -> Map<String, Value> {
        match self {
            Self::Add { subject } | Self::Revoke { subject } => payload([("subject", text(subject))]),
            Self::AddDevice { device, name, proof } => {
                payload([(DEVICE, text(device)), ("name", text(name)), ("proof", text(proof))])
            }
            Self::Rotate { successor, proof } => {
                payload([(SUCCESSOR, text(successor)), ("proof", text(proof))])
            }
            Self::Unknown => Map::new(),
        }
    }
}

fn check(role: &str, primary: &Primary, key: &PublicKey, proof: &str) -> Result<(), Fault> {
    let signature = signature_from_hex(proof).ok_or(Fault::BadProof)?;
    key.verify_strict(&agreement(role, primary, key), &signature).map_err(|_| Fault::BadProof)
}

/// What a key signs to agree to its role: JCS of its kind, the identity and itself.
fn agreement(role: &str, primary: &Primary, key: &PublicKey) -> Vec<u8> {
    let members = [("type", text(&format!("kez.{role}"))), ("primary", text(primary)), (role, text(key))];
    json::canonical_object(&payload(members))
}
