//! Cases about what people send: registrations, sealed messages, and what those say.

use curve25519_dalek::MontgomeryPoint;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Outcome, Report, bytes, fault, same, same_error, secret_key};
use crate::{Body, Message, Registration, Sealed, Signed, Tag, Timestamp, json, sealed};

/// When the sealed messages of the vectors are opened: 2026-05-25T03:00:00Z, when they were sent.
const OPENED_AT: i64 = 1_779_678_000;

#[derive(Deserialize)]
pub(super) struct Registrations {
    server: String,
    cases: Vec<RegistrationCase>,
}

#[derive(Deserialize)]
struct RegistrationCase {
    name: String,
    envelope: Box<RawValue>,
    now: Timestamp,
    error: Option<String>,
}

pub(super) fn registrations(file: &Registrations, report: &mut Report) {
    for case in &file.cases {
        let checked = Registration::check(case.envelope.get().as_bytes(), &file.server, case.now);
        report.note(&case.name, same_error(checked, case.error.as_deref()));
    }
}

#[derive(Deserialize)]
pub(super) struct SealedMessages {
    valid: Vec<Valid>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Valid {
    to: String,
    seed: String,
    sealed: Box<RawValue>,
    ephemeral: String,
    opens_to: Box<RawValue>,
}

#[derive(Deserialize)]
struct Refused {
    name: String,
    seed: String,
    sealed: Box<RawValue>,
    error: String,
}

pub(super) fn sealed(file: &SealedMessages, report: &mut Report) {
    for (index, case) in file.valid.iter().enumerate() {
        report.note(&format!("message {index} to {}", case.to), opens(case));
    }
    for case in &file.refused {
        report.note(&case.name, refused(case));
    }
}

fn opens(case: &Valid) -> Outcome {
    let text = case.sealed.get().as_bytes();
    let (me, message) = (secret_key(&case.seed)?, Sealed::parse(text).map_err(fault)?);
    let opened = sealed::open(&message, &me, Timestamp::from_unix(OPENED_AT)).map_err(fault)?;
    let expected = Signed::parse(case.opens_to.get().as_bytes(), Tag::Message).map_err(fault)?;
    same("envelope", &sealed::open_envelope(&message, &me).map_err(fault)?.to_value(), &expected.to_value())?;
    let expected = Message::from_signed(&expected).map_err(fault)?;
    same("message", &opened.to_payload(), &expected.to_payload())?;
    same("enc", &message.enc, &MontgomeryPoint::mul_base_clamped(bytes(&case.ephemeral)?).to_bytes())?;
    let canonical = json::canonical(&json::parse(text).map_err(fault)?);
    let carried = sealed::carry(text).map_err(fault)?;
    same("JCS", &message.canonical(), &canonical)?;
    same("JCS as carried", &carried.canonical, &canonical)?;
    same("transport id", &carried.transport_id, &message.transport_id())
}

fn refused(case: &Refused) -> Outcome {
    let me = secret_key(&case.seed)?;
    let opened = Sealed::parse(case.sealed.get().as_bytes())
        .and_then(|message| sealed::open(&message, &me, Timestamp::from_unix(OPENED_AT)));
    same_error(opened, Some(&case.error))
}

#[derive(Deserialize)]
pub(super) struct Bodies {
    cases: Vec<BodyCase>,
}

#[derive(Deserialize)]
struct BodyCase {
    name: String,
    body: Value,
    read: Option<Value>,
    error: Option<String>,
}

pub(super) fn bodies(file: &Bodies, report: &mut Report) {
    for case in &file.cases {
        report.note(&case.name, body(case));
    }
}

fn body(case: &BodyCase) -> Outcome {
    let read = Body::from_value(&case.body);
    same("what was read", &read.as_ref().ok().map(Body::to_value), &case.read)?;
    same_error(read, case.error.as_deref())
}
