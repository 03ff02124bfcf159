//! Random valid chains, and every single change to one: refused, or a fork that the next event gives away.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what cannot be set up ends its test")]

use data_encoding::HEXLOWER;
use kez_crypto::chain::{device_proof, parse_event, successor_proof};
use kez_crypto::{
    Chain, Fault, Identifier, NostrSecret, Op, Primary, SecretKey, Signer, Timestamp, bundle, json,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

const START: Timestamp = Timestamp::from_unix(1_779_678_000);

/// Someone who has a chain.
#[derive(Clone, Debug)]
enum Owner {
    Ed25519(SecretKey),
    Nostr(NostrSecret),
}

impl Owner {
    fn signer(&self) -> Signer<'_> {
        match self {
            Self::Ed25519(secret) => secret.into(),
            Self::Nostr(secret) => secret.into(),
        }
    }

    fn primary(&self) -> Primary {
        self.signer().public()
    }

    /// An envelope of exactly this payload, whatever it says.
    fn envelope(&self, payload: &Value) -> Value {
        let text = json::canonical(payload);
        let (alg, sig) = match self {
            Self::Ed25519(secret) => ("ed25519-sha512-jcs", secret.sign(&text)),
            Self::Nostr(secret) => ("nostr-secp256k1-schnorr-sha256-jcs", secret.sign(&text)),
        };
        let signature = json!({"alg": alg, "key": self.primary(), "sig": HEXLOWER.encode(&sig)});
        json!({"kez": "sigchain_event", "payload": payload, "signature": signature})
    }
}

/// A valid chain: its events, and its state before the first and after each of them.
#[derive(Clone, Debug)]
struct History {
    owner: Owner,
    events: Vec<Vec<u8>>,
    states: Vec<Chain>,
}

impl History {
    /// The next valid event of a kind; some choose which.
    fn next(&mut self, kind: u8, choice: prop::sample::Index, seconds: i64) {
        let chain = self.last();
        let claims: Vec<_> = chain.claims().cloned().collect();
        let devices: Vec<_> = chain.devices().map(|(device, _)| Identifier::from(*device)).collect();
        let active = [claims, devices].concat();
        let op = match kind {
            0 if !active.is_empty() => Op::Revoke { subject: active[choice.index(active.len())].clone() },
            1 => {
                let device = (0..).map(device).find(|device| !chain.has_device(&device.public())).unwrap();
                let proof = HEXLOWER.encode(&device_proof(chain.primary(), &device));
                Op::AddDevice { device: device.public(), name: format!("device {}", choice.index(9)), proof }
            }
            2 => {
                let successor = device(100);
                let proof = HEXLOWER.encode(&successor_proof(chain.primary(), &successor));
                Op::Rotate { successor: successor.public(), proof }
            }
            3 => Op::Unknown,
            _ => {
                let free = |subject: &Identifier| !chain.is_claimed(subject);
                let subject = (choice.index(9)..).map(account).find(free).unwrap();
                Op::Add { subject }
            }
        };
        let event = chain.sign_next(&op, START.plus_seconds(seconds), self.owner.signer());
        let mut next = chain.clone();
        next.append_downloaded(&event).unwrap();
        self.events.push(event);
        self.states.push(next);
    }

    fn last(&self) -> &Chain {
        self.states.last().unwrap()
    }

    fn payload(&self, place: usize) -> Value {
        let mut envelope = json::parse(&self.events[place]).unwrap();
        envelope["payload"].take()
    }

    /// Where a reader stops, and why; the whole chain when nowhere.
    fn read<'a>(&self, events: impl IntoIterator<Item = &'a Vec<u8>>) -> Result<Chain, (usize, Fault)> {
        let mut chain = Chain::new(self.owner.primary());
        for (place, event) in events.into_iter().enumerate() {
            let before = chain.clone();
            if let Err(fault) = chain.append_downloaded(event) {
                assert_eq!(chain, before, "a refused event changes nothing");
                return Err((place, fault));
            }
        }
        Ok(chain)
    }

    /// What becomes of an event in the place of another, as a reader has it.
    fn instead(&self, place: usize, event: &[u8]) -> Result<Chain, Fault> {
        let mut chain = self.states[place].clone();
        chain.append_downloaded(event).map(|()| chain)
    }
}

fn device(number: u8) -> SecretKey {
    SecretKey::from_seed([number.wrapping_add(100); 32])
}

fn account(number: usize) -> Identifier {
    Identifier::parse(&format!("github:account-{number}")).unwrap()
}

fn owner() -> impl Strategy<Value = Owner> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(|seed| Owner::Ed25519(SecretKey::from_seed(seed))),
        any::<[u8; 31]>().prop_map(|bytes| {
            let mut secret = [1; 32];
            secret[1..].copy_from_slice(&bytes);
            Owner::Nostr(NostrSecret::from_bytes(secret).unwrap())
        }),
    ]
}

prop_compose! {
    fn history(most: usize)(
        owner in owner(),
        steps in vec((0u8..8, any::<prop::sample::Index>(), 0i64..1000), 1..=most),
        rotates in any::<bool>()
    ) -> History {
        let mut history =
            History { states: vec![Chain::new(owner.primary())], events: Vec::new(), owner };
        let mut time = 0;
        for (number, (kind, choice, seconds)) in steps.iter().enumerate() {
            let closes = rotates && number + 1 == steps.len();
            let kind = if closes { 2 } else if *kind == 2 { 4 } else { *kind };
            time += seconds;
            history.next(kind, *choice, time);
        }
        history
    }
}

/// Every member of a JSON value, as pointers, itself included.
fn pointers(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    for (name, inner) in value.as_object().into_iter().flatten() {
        pointers(inner, &format!("{path}/{name}"), found);
    }
}

/// Other values for a member: of other kinds, close by, and some that would stand well there.
fn others(value: &Value) -> Vec<Value> {
    let mut others = vec![json!(null), json!(true), json!([]), json!({}), json!(""), json!("x")];
    match value {
        Value::Number(number) => {
            let number = number.as_i64().unwrap();
            others.extend([number - 1, number + 1, -number - 1].map(Value::from));
            others.push(json!(number.to_string()));
        }
        Value::String(text) => {
            let mut flipped = text.clone().into_bytes();
            if let Some(last) = flipped.last_mut() {
                *last ^= 1;
            }
            others.push(json!(String::from_utf8_lossy(&flipped)));
            others.push(json!(text.to_uppercase()));
            others.extend([format!("{text}0"), text.chars().skip(1).collect()].map(Value::from));
            others.push(json!(account(77)));
            others.push(json!(device(77).public()));
            others.push(json!(NostrSecret::from_bytes([7; 32]).unwrap().public().to_string()));
            others.push(json!(format!("sha256:{}", "0".repeat(64))));
            others.push(json!("0".repeat(128)));
            others.extend([-1, 0, 1, 1_000_000].map(|seconds| json!(START.plus_seconds(seconds))));
            others.extend(["add", "revoke", "add_device", "rotate", "kez.claim"].map(Value::from));
        }
        Value::Object(members) => {
            let mut more = members.clone();
            more.insert("more".into(), json!(1));
            others.push(Value::Object(more));
        }
        _ => {}
    }
    others.retain(|other| other != value);
    others
}

/// The value with every single change to it: a member is another, is gone, or is there besides. With each, where it is.
fn edits(value: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    pointers(value, "", &mut places);
    let mut edits = Vec::new();
    for place in places {
        for other in others(value.pointer(&place).unwrap()) {
            let mut edited = value.clone();
            *edited.pointer_mut(&place).unwrap() = other;
            edits.push((place.clone(), edited));
        }
        if let Some((parent, name)) = place.rsplit_once('/') {
            let mut edited = value.clone();
            edited.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            edits.push((place.clone(), edited));
        }
    }
    edits
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn valid_chains_are_taken_and_say_the_same_in_bundles(history in history(12)) {
        let chain = history.read(&history.events).unwrap();
        prop_assert_eq!(&chain, history.last());
        let lines = bundle::to_lines(&history.events);
        let packed = bundle::pack(&lines).unwrap();
        for text in [lines.as_slice(), packed.as_bytes()] {
            let read = bundle::read(text);
            prop_assert_eq!(read.as_ref(), Ok(&history.events));
        }
        for (place, event) in history.events.iter().enumerate() {
            let event = parse_event(event).unwrap();
            prop_assert_eq!(Some(event.hash), history.states[place + 1].head());
            prop_assert_eq!((event.seq, event.prev), (place as u64, history.states[place].head()));
        }
    }

    #[test]
    fn a_missing_event_is_noticed_unless_it_is_the_last(history in history(12)) {
        let last = history.events.len() - 1;
        for missing in 0..=last {
            let kept = history.events.iter().enumerate().filter(|(place, _)| *place != missing);
            let read = history.read(kept.map(|(_, event)| event));
            if missing < last {
                prop_assert_eq!(read, Err((missing, Fault::WrongSeq)));
            } else {
                // By the rules this is a valid chain, an older one. Who remembers its length or head notices.
                let read = read.unwrap();
                prop_assert_eq!(&read, &history.states[last]);
                prop_assert_ne!(read.head(), history.last().head());
                prop_assert!(read.length() < history.last().length());
            }
        }
    }

    #[test]
    fn events_cannot_change_places(history in history(12)) {
        for later in 0..history.events.len() {
            for earlier in 0..later {
                let mut events = history.events.clone();
                events.swap(earlier, later);
                prop_assert_eq!(history.read(&events), Err((earlier, Fault::WrongSeq)));
            }
        }
    }

    #[test]
    fn an_event_cannot_stand_twice(history in history(12)) {
        for place in 0..history.events.len() {
            for again in place + 1..=history.events.len() {
                let mut events = history.events.clone();
                events.insert(again, history.events[place].clone());
                let is_closed = history.states[again].successor().is_some();
                let fault = if is_closed { Fault::ChainClosed } else { Fault::WrongSeq };
                prop_assert_eq!(history.read(&events), Err((again, fault)));
            }
        }
    }

    #[test]
    fn events_of_others_are_refused(history in history(8), other in owner()) {
        for (place, event) in history.events.iter().enumerate() {
            let mut payload = history.payload(place);
            let in_the_owners_name = json::canonical(&other.envelope(&payload));
            payload["primary"] = json!(other.primary());
            let in_the_others_name = json::canonical(&other.envelope(&payload));
            let refused = history.instead(place, &in_the_owners_name).err();
            prop_assert_eq!(refused, Some(Fault::KeyMismatch));
            prop_assert_eq!(history.instead(place, &in_the_others_name).err(), Some(Fault::WrongPrimary));
            prop_assert_eq!(Chain::new(other.primary()).append_downloaded(event), Err(Fault::WrongPrimary));
        }
    }
}

/// Members that an owner can change and sign again: a time that still does not run backwards, another operation that
/// the chain allows there or that this version does not know, another account, another name of a device, and members
/// more (of the whole, or of the operation). The chain up to there is then a valid one, but another one.
const FREE: [&str; 6] = ["", "/created_at", "/op", "/payload", "/payload/subject", "/payload/name"];

proptest! {
    // Each of these chains is tried with thousands of edits.
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn an_edited_event_is_refused(history in history(6)) {
        for (place, event) in history.events.iter().enumerate() {
            for (member, edited) in edits(&json::parse(event).unwrap()) {
                let refused = history.instead(place, &json::canonical(&edited)).is_err();
                prop_assert!(refused, "{} of event {}: {}", member, place, edited);
            }
        }
    }

    #[test]
    fn an_edited_event_that_its_owner_signs_again_is_refused_or_a_fork(history in history(6)) {
        for place in 0..history.events.len() {
            for (member, edited) in edits(&history.payload(place)) {
                let event = json::canonical(&history.owner.envelope(&edited));
                let Ok(fork) = history.instead(place, &event) else { continue };
                prop_assert!(FREE.contains(&member.as_str()), "{} of {}", member, edited);
                prop_assert_eq!(fork.length(), history.states[place + 1].length());
                prop_assert_ne!(fork.head(), history.states[place + 1].head());
                if let Some(next) = history.events.get(place + 1) {
                    let is_closed = fork.successor().is_some();
                    let fault = if is_closed { Fault::ChainClosed } else { Fault::WrongPrev };
                    prop_assert_eq!(fork.clone().append_downloaded(next), Err(fault));
                }
            }
        }
    }
}
