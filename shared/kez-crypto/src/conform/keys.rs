//! Cases about keys and the phrases that hold them.

use curve25519_dalek::MontgomeryPoint;
use data_encoding::HEXLOWER;
use serde::Deserialize;

use super::{Outcome, Report, bytes, fault, same, secret_key};
use crate::{Phrase, PhraseFault, PublicKey, phrase, x25519_public, x25519_secret};

#[derive(Deserialize)]
pub(super) struct Identity {
    name: String,
    seed: String,
    public: String,
    identity: String,
    nkey: String,
    x25519_secret: String,
    x25519_public: String,
}

pub(super) fn identity(case: &Identity) -> (String, Outcome) {
    (case.name.clone(), check_identity(case))
}

fn check_identity(case: &Identity) -> Outcome {
    let secret = secret_key(&case.seed)?;
    let public = secret.public();
    same("public key", &public.to_hex(), &case.public)?;
    same("identifier", &public.identifier(), &case.identity)?;
    same("nkey", &public.nkey(), &case.nkey)?;
    same("key in the identifier", &PublicKey::parse(&case.identity), &Ok(public))?;
    same("key in the nkey", &PublicKey::from_nkey(&case.nkey), &Ok(public))?;
    let exchange = x25519_secret(&secret);
    same("X25519 secret", &HEXLOWER.encode(&*exchange), &case.x25519_secret)?;
    let exchange_public = x25519_public(&public).map_err(fault)?;
    same("X25519 public", &HEXLOWER.encode(&exchange_public), &case.x25519_public)?;
    same("X25519 pair", &MontgomeryPoint::mul_base_clamped(*exchange).to_bytes(), &exchange_public)
}

#[derive(Deserialize)]
pub(super) struct Phrases {
    valid: Vec<Valid>,
    invalid: Vec<Invalid>,
    same_as_valid: Vec<SameAsValid>,
}

#[derive(Deserialize)]
struct Valid {
    phrase: String,
    entropy: String,
    seed: String,
    public: String,
}

#[derive(Deserialize)]
struct Invalid {
    phrase: String,
    why: String,
}

#[derive(Deserialize)]
struct SameAsValid {
    phrase: String,
    index: usize,
}

pub(super) fn phrases(file: &Phrases, report: &mut Report) {
    for (index, case) in file.valid.iter().enumerate() {
        report.note(&format!("valid phrase {index}"), valid(case));
    }
    for (index, case) in file.invalid.iter().enumerate() {
        let reason = phrase::parse(&case.phrase).err().map(PhraseFault::reason);
        report.note(&format!("invalid phrase {index}"), same("reason", &reason, &Some(case.why.as_str())));
    }
    for case in &file.same_as_valid {
        let outcome = match file.valid.get(case.index) {
            Some(valid) => same("seed", &seed(&case.phrase), &Ok(valid.seed.clone())),
            None => Err("the vector names no valid phrase".into()),
        };
        report.note(&format!("same as valid phrase {}", case.index), outcome);
    }
}

fn valid(case: &Valid) -> Outcome {
    let generated = match case.entropy.len() {
        32 => phrase::generate_12(bytes(&case.entropy)?),
        _ => phrase::generate_24(bytes(&case.entropy)?),
    };
    same("phrase of the entropy", &generated.words().join(" "), &case.phrase)?;
    same("seed", &seed(&case.phrase), &Ok(case.seed.clone()))?;
    same("public key", &generated.secret_key().public().to_hex(), &case.public)
}

fn seed(text: &str) -> Result<String, PhraseFault> {
    Phrase::parse(text).map(|phrase| HEXLOWER.encode(&*phrase.to_seed()))
}
