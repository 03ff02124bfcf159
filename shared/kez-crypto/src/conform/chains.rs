//! Cases about sigchains: what each event comes to, and what is refused after how many.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Outcome, Report, fault, same, same_error};
use crate::chain::parse_event;
use crate::{Chain, Identifier, Primary, PublicKey, bundle};

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
    if !file.events.is_empty() {
        report.note("bundles of the events", bundles(file));
    }
}

fn step(file: &Sigchain, chain: &mut Chain, index: usize, event: &RawValue) -> Outcome {
    let alone = parse_event(event.get().as_bytes()).map_err(fault)?;
    same("the event before", &alone.prev, &chain.head())?;
    chain.append(event.get().as_bytes()).map_err(fault)?;
    same("head", &chain.head().as_ref(), &file.heads.get(index))?;
    same("hash of the event alone", &Some(&alone.hash), &file.heads.get(index))?;
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

fn bundles(file: &Sigchain) -> Outcome {
    let lines = bundle::to_lines(file.events.iter().map(|event| event.get()));
    let packed = bundle::pack(&lines).map_err(fault)?;
    for text in [lines.as_slice(), packed.as_bytes()] {
        let mut chain = Chain::new(file.primary);
        for event in bundle::read(text).map_err(fault)? {
            chain.append_downloaded(&event).map_err(fault)?;
        }
        same("head", &chain.head().as_ref(), &file.heads.last())?;
    }
    Ok(())
}
