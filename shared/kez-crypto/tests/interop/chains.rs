//! Sigchains: each event signed by both to the same bytes, and every chain, whole or broken, followed to the same state.

use data_encoding::HEXLOWER;
use kez_crypto::chain::{device_proof, successor_proof};
use kez_crypto::{Chain, Identifier, Op, PublicKey, SecretKey, Signed, Tag, bundle, json};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{NOW, Person, TypeScript, by, change, changed, each, person, text};

/// One step: what is done, with which of a few names, and how much later.
type Step = (u8, u8, i64);

pub fn agree(typescript: &TypeScript) {
    let steps = || vec((0u8..9, 0u8..5, -1i64..50), 1..8);
    each("chains", 100, (person(), steps(), vec(change(), 0..3)), |(owner, steps, changes)| {
        let events = history(typescript, &owner, &steps);
        follows(typescript, &owner, &events);
        if let (Some(last), false) = (events.last(), changes.is_empty()) {
            let changed = changes.into_iter().fold(last.clone(), |event, change| changed(&event, change));
            let mut events = events.clone();
            events.insert(events.len() - 1, changed);
            follows(typescript, &owner, &events);
        }
        bundles(typescript, &events);
    });
    let odd = (person(), steps(), prop::sample::select(&MEMBERS[..]), prop::sample::select(&VALUES[..]));
    each("odd events, well signed", 200, odd, |(owner, steps, member, value)| {
        let mut events = history(typescript, &owner, &steps);
        let Some(last) = events.pop() else { return };
        let mut payload: Map<_, _> =
            json::parse(last.as_bytes()).unwrap()["payload"].as_object().cloned().unwrap();
        let value: Value = serde_json::from_str(value).unwrap();
        match member.split_once('/') {
            Some((outer, inner)) => payload[outer][inner] = value,
            None => {
                payload.insert(member.into(), value);
            }
        }
        events.push(text(Signed::create(Tag::SigchainEvent, payload, owner.signer()).to_json()));
        follows(typescript, &owner, &events);
    });
}

const MEMBERS: [&str; 10] = [
    "seq",
    "prev",
    "created_at",
    "op",
    "payload",
    "payload/subject",
    "payload/device",
    "payload/name",
    "payload/proof",
    "payload/successor",
];

const VALUES: [&str; 12] = [
    "null",
    "-1",
    "0",
    "1",
    "\"\"",
    "\"add\"",
    "\"rotate\"",
    "{}",
    "\"2026-05-25T03:00:01Z\"",
    "\"github:account-1\"",
    "\"nostr:npub1q\"",
    "\"ed25519:2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12\"",
];

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed([number + 100; 32])
}

/// The operation of a step; some do not fit where they stand.
fn op(chain: &Chain, (kind, which, _): Step) -> Op {
    let key = key(which);
    let (name, primary) = (format!("dévice {which}"), chain.primary());
    match kind {
        0..4 => Op::Add { subject: Identifier::parse(&format!("github:account-{which}")).unwrap() },
        4 => Op::Revoke { subject: Identifier::parse(&format!("github:account-{which}")).unwrap() },
        5 => Op::Revoke { subject: key.public().into() },
        6 => {
            let proof = HEXLOWER.encode(&device_proof(primary, &key));
            Op::AddDevice { device: key.public(), name, proof }
        }
        7 if which > 0 => Op::Unknown,
        7 => Op::Rotate { successor: key.public(), proof: HEXLOWER.encode(&successor_proof(primary, &key)) },
        _ => {
            let proof = HEXLOWER.encode(&successor_proof(primary, &key));
            Op::AddDevice { device: key.public(), name, proof }
        }
    }
}

/// The events of these steps, as both sign them. What a chain refuses is in it all the same, and ends it.
fn history(typescript: &TypeScript, owner: &Person, steps: &[Step]) -> Vec<String> {
    let mut chain = Chain::new(owner.signer().public());
    let (mut events, mut time) = (Vec::new(), NOW);
    for step in steps {
        time = time.plus_seconds(step.2);
        let op = op(&chain, *step);
        let event = text(chain.sign_next(&op, time, owner.signer()));
        let payload = json::parse(event.as_bytes()).unwrap()["payload"]["payload"].to_string();
        let given = json!({
            "primary": chain.primary(), "events": events, "op": op.name(), "payload": payload, "now": time.unix(),
            "by": owner.by(),
        });
        assert_eq!(typescript.get("sign_next", given), event);
        proofs(typescript, &chain, &op, step.1);
        let is_taken = chain.append_downloaded(event.as_bytes()).is_ok();
        events.push(event);
        if !is_taken {
            break;
        }
    }
    events
}

/// The agreement of a key that was added, as the other side signs it.
fn proofs(typescript: &TypeScript, chain: &Chain, op: &Op, which: u8) {
    let given = json!({ "primary": chain.primary(), "by": by(&key(which)) });
    let (asked, ours) = match op {
        Op::AddDevice { .. } => ("device_proof", device_proof(chain.primary(), &key(which))),
        Op::Rotate { .. } => ("successor_proof", successor_proof(chain.primary(), &key(which))),
        _ => return,
    };
    assert_eq!(typescript.get(asked, given), HEXLOWER.encode(&ours));
}

/// Where a reader comes to, and why it stops there.
fn follows(typescript: &TypeScript, owner: &Person, events: &[String]) {
    let mut chain = Chain::new(owner.signer().public());
    let fault = events.iter().find_map(|event| chain.append_downloaded(event.as_bytes()).err());
    let devices: Vec<(&PublicKey, &str)> = chain.devices().collect();
    let ours = json!({
        "length": chain.length(), "head": chain.head(), "claims": chain.claims().collect::<Vec<_>>(),
        "devices": devices, "successor": chain.successor(), "fault": fault.map(kez_crypto::Fault::code),
    });
    let given = json!({ "primary": chain.primary(), "events": events });
    assert_eq!(typescript.get("follow", given), ours, "{events:#?}");
}

fn bundles(typescript: &TypeScript, events: &[String]) {
    let lines = text(bundle::to_lines(events));
    let theirs = typescript.get_text("pack", json!({ "lines": lines }));
    for packed in [lines.clone(), bundle::pack(lines.as_bytes()).unwrap(), theirs] {
        let read: Vec<_> = bundle::read(packed.as_bytes()).unwrap().into_iter().map(text).collect();
        assert_eq!(read, events);
        assert_eq!(typescript.get("bundle", json!({ "text": packed })), json!(events));
    }
}
