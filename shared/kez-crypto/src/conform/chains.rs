//! Cases about sigchains: what each event comes to, and what is refused after how many.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Outcome, Report, fault, same, same_error};
use crate::{Chain, Identifier, Primary, PublicKey};

#[derive(Deserialize)]
pub(super) struct Sigchain {
    primary: Primary,
    events: Vec<Box<RawValue>>,
    heads: Vec<String>,
    states: Vec<State>,
    refused: Vec<Refused>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct State {
    head: String,
    claims: Vec<String>,
    devices: Vec<PublicKey>,
    successor: Option<PublicKey>,
}

#[derive(Deserialize)]
struct Refused {
    name: String,
    after: usize,
    event: Box<RawValue>,
    error: String,
}

pub(super) fn sigchain(file: &Sigchain, report: &mut Report) {
    let mut chain = Chain::new(file.primary);
    for (index, event) in file.events.iter().enumerate() {
        report.note(&format!("event {index}"), step(file, &mut chain, index, event));
    }
    for case in &file.refused {
        report.note(&case.name, refused(file, case));
    }
}

fn step(file: &Sigchain, chain: &mut Chain, index: usize, event: &RawValue) -> Outcome {
    chain.append(event.get().as_bytes()).map_err(fault)?;
    same("head", &chain.head().as_ref(), &file.heads.get(index))?;
    let state = State {
        head: chain.head().unwrap_or_default(),
        claims: chain.claims().map(Identifier::to_string).collect(),
        devices: chain.devices().map(|(device, _)| *device).collect(),
        successor: chain.successor(),
    };
    same("state", &Some(&state), &file.states.get(index))
}

fn refused(file: &Sigchain, case: &Refused) -> Outcome {
    let mut chain = Chain::new(file.primary);
    for event in file.events.iter().take(case.after) {
        chain.append(event.get().as_bytes()).map_err(fault)?;
    }
    same_error(chain.append(case.event.get().as_bytes()), Some(&case.error))
}
