//! The shared test vectors, run against this crate: what `cargo test` and `kez conform` have in common.

mod chains;
mod faces;
mod keys;
mod messages;
mod parsing;
mod sessions;
mod signatures;

use std::fmt::Debug;

use data_encoding::HEXLOWER;
use serde::de::DeserializeOwned;

use crate::{Fault, SecretKey};

/// The vector files that [`run`] knows, by name.
pub const FILES: [&str; 14] = [
    "identities.json",
    "mnemonics.json",
    "strict-json.json",
    "claims.json",
    "registrations.json",
    "request-auth.json",
    "sessions.json",
    "sealed-messages.json",
    "bodies.json",
    "sigchain.json",
    "identicons.json",
    "visual.json",
    "pictures.json",
    "ed25519-strict.json",
];

/// What became of one vector file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// How many cases passed.
    pub passed: usize,
    /// The cases that failed, each as `case name: what differed`.
    pub failed: Vec<String>,
}

/// Runs a vector file by its name, such as `identities.json`; none for a name that is not in [`FILES`].
/// A file that cannot be read as what its name says is one failure.
pub fn run(file_name: &str, text: &str) -> Option<Report> {
    Some(match file_name {
        "identities.json" => each(text, keys::identity),
        "mnemonics.json" => whole(text, keys::phrases),
        "strict-json.json" => each(text, parsing::strict_json),
        "claims.json" => each(text, parsing::claim),
        "registrations.json" => whole(text, messages::registrations),
        "request-auth.json" => each(text, signatures::request),
        "sessions.json" => whole(text, sessions::sessions),
        "sealed-messages.json" => whole(text, messages::sealed),
        "bodies.json" => whole(text, messages::bodies),
        "sigchain.json" => whole(text, chains::sigchain),
        "identicons.json" => whole(text, faces::identicons),
        "visual.json" => whole(text, faces::shuffles),
        "pictures.json" => whole(text, faces::pictures),
        "ed25519-strict.json" => whole(text, signatures::strict),
        _ => return None,
    })
}

/// What one case came to: nothing, or what differed.
type Outcome = Result<(), String>;

impl Report {
    fn note(&mut self, name: &str, outcome: Outcome) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(difference) => self.failed.push(format!("{name}: {difference}")),
        }
    }
}

/// Runs a file that is one list of cases.
fn each<Case: DeserializeOwned>(text: &str, check: impl Fn(&Case) -> (String, Outcome)) -> Report {
    whole(text, |cases: &Vec<Case>, report: &mut Report| {
        for (name, outcome) in cases.iter().map(check) {
            report.note(&name, outcome);
        }
    })
}

/// Runs a file of any other shape.
fn whole<File: DeserializeOwned>(text: &str, check: impl FnOnce(&File, &mut Report)) -> Report {
    let mut report = Report::default();
    match serde_json::from_str(text) {
        Ok(file) => check(&file, &mut report),
        Err(error) => report.note("the file", Err(format!("is not what its name says: {error}"))),
    }
    report
}

fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Outcome {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found:?} instead of {expected:?}")) }
}

/// Whether a result is the error that a vector names, or a success where it names none.
fn same_error<T>(found: Result<T, Fault>, expected: Option<&str>) -> Outcome {
    same("error", &found.err().map(Fault::code), &expected)
}

fn fault(fault: Fault) -> String {
    format!("refused as {}", fault.code())
}

fn bytes<const N: usize>(hex: &str) -> Result<[u8; N], String> {
    let bytes = HEXLOWER.decode(hex.as_bytes()).map_err(|error| format!("the vector's hex: {error}"))?;
    bytes.try_into().map_err(|_| format!("the vector's hex is not {N} bytes long"))
}

fn secret_key(seed: &str) -> Result<SecretKey, String> {
    bytes(seed).map(SecretKey::from_seed)
}
