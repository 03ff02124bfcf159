//! Cases about JSON: what is refused, and how what is taken is written.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Outcome, fault, same};
use crate::{Signed, Tag, json};

#[derive(Deserialize)]
pub(super) struct StrictJson {
    name: String,
    text: String,
    accept: bool,
}

pub(super) fn strict_json(case: &StrictJson) -> (String, Outcome) {
    (case.name.clone(), same("accepted", &json::parse(case.text.as_bytes()).is_ok(), &case.accept))
}

#[derive(Deserialize)]
pub(super) struct Claim {
    jcs: String,
    envelope: Box<RawValue>,
}

pub(super) fn claim(case: &Claim) -> (String, Outcome) {
    (format!("claim {}", case.jcs), check_claim(case))
}

fn check_claim(case: &Claim) -> Outcome {
    let envelope = case.envelope.get().as_bytes();
    let signed = Signed::parse(envelope, Tag::Claim).map_err(fault)?;
    let payload = json::canonical(&signed.payload.clone().into());
    same("JCS of the payload", &String::from_utf8_lossy(&payload).into_owned(), &case.jcs)?;
    let again = Signed::parse(&signed.to_json(), Tag::Claim).map_err(fault)?;
    same("envelope written and read again", &again.to_value(), &signed.to_value())
}
