//! Cases about JSON: what is refused, and how what is taken is written.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Outcome, fault, same};
use crate::{Claim, Signed, Tag, encoding, json};

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
pub(super) struct ClaimCase {
    jcs: String,
    envelope: Box<RawValue>,
}

pub(super) fn claim(case: &ClaimCase) -> (String, Outcome) {
    (format!("claim {}", case.jcs), check_claim(case))
}

fn check_claim(case: &ClaimCase) -> Outcome {
    let envelope = case.envelope.get().as_bytes();
    let signed = Signed::parse(envelope, Tag::Claim).map_err(fault)?;
    let payload = json::canonical_object(&signed.payload);
    same("JCS of the payload", &String::from_utf8_lossy(&payload).into_owned(), &case.jcs)?;
    let claim = Claim::parse(envelope).map_err(fault)?;
    same("claim as checked", &claim.check(&claim.subject, &signed.primary, claim.created_at), &Ok(()))?;
    let text = signed.to_json();
    for form in [
        case.envelope.get().to_owned(),
        encoding::compact(&text),
        encoding::markdown(&text),
        encoding::markdown(encoding::compact(&text).as_bytes()),
        encoding::txt_pieces(&encoding::compact(&text)).concat(),
    ] {
        let decoded = encoding::decode(&form).map_err(fault)?;
        let again = Signed::parse(&decoded, Tag::Claim).map_err(fault)?;
        same("envelope read again", &again.to_value(), &signed.to_value())?;
        same("claims found in its form", &encoding::find(&form), &vec![Ok(decoded)])?;
    }
    Ok(())
}
