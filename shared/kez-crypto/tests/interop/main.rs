//! Rust and TypeScript, one against the other: what one writes the other reads, byte for byte the same where nothing is random,
//! and what one refuses the other refuses for the same reason.
//!
//! It needs Node and the packages of `web/`; without them it says so and skips.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what cannot be set up ends its test")]
#![expect(clippy::needless_pass_by_value, reason = "questions and random cases are made to be given away")]

mod chains;
mod documents;
mod faces;
mod letters;
mod texts;
mod typescript;

use std::fmt::Debug;

use kez_crypto::{Fault, NostrSecret, SecretKey, Signer, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use typescript::TypeScript;

const NOW: Timestamp = Timestamp::from_unix(1_779_678_000);

#[test]
fn both_say_the_same() {
    let Some(typescript) = TypeScript::start() else {
        println!("skipped: no Node, or no packages in web/ (npm ci --ignore-scripts)");
        return;
    };
    texts::agree(&typescript);
    documents::agree(&typescript);
    letters::agree(&typescript);
    faces::agree(&typescript);
    chains::agree(&typescript);
}

/// Tries so many random cases, the same in every run; the first on which the two differ is made as small as it can be, and
/// fails.
fn each<Case: Debug>(what: &str, cases: u32, strategy: impl Strategy<Value = Case>, check: impl Fn(Case)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let run = TestRunner::new_with_rng(config, rng).run(&strategy, |case| {
        check(case);
        Ok(())
    });
    assert!(run.is_ok(), "{what}: {}", run.unwrap_err());
    println!("{what}: {cases} cases the same");
}

/// An answer of Rust's in the words of the other side.
fn said<T: Into<Value>>(answer: Result<T, Fault>) -> Value {
    match answer {
        Ok(value) => json!({ "value": value.into() }),
        Err(fault) => json!({ "fault": fault.code() }),
    }
}

/// Someone who signs.
#[derive(Clone, Debug)]
enum Person {
    Ed25519(SecretKey),
    Nostr([u8; 32], NostrSecret),
}

impl Person {
    fn signer(&self) -> Signer<'_> {
        match self {
            Self::Ed25519(secret) => secret.into(),
            Self::Nostr(_, secret) => secret.into(),
        }
    }

    /// The person as the other side knows them.
    fn by(&self) -> Value {
        match self {
            Self::Ed25519(secret) => by(secret),
            Self::Nostr(bytes, _) => json!(["nostr", hex(bytes)]),
        }
    }
}

fn by(secret: &SecretKey) -> Value {
    json!(["ed25519", hex(secret.seed())])
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn secret_key() -> impl Strategy<Value = SecretKey> {
    any::<[u8; 32]>().prop_map(SecretKey::from_seed)
}

fn person() -> impl Strategy<Value = Person> {
    let nostr = any::<[u8; 32]>().prop_filter_map("zero is no key", |bytes| {
        Some(Person::Nostr(bytes, NostrSecret::from_bytes(bytes).ok()?))
    });
    prop_oneof![secret_key().prop_map(Person::Ed25519), nostr]
}

/// Values that strict JSON can hold.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            proptest::collection::vec((any::<String>(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// One change to a text: a character is another one, is gone, or is there besides.
fn change() -> impl Strategy<Value = (prop::sample::Index, u8, char)> {
    let marks = prop::sample::select(
        "{}[]:,\"\\ \n0123456789-.eE+abcdefAZz`~_/=u\u{0}ü€😀".chars().collect::<Vec<_>>(),
    );
    (any::<prop::sample::Index>(), 0u8..3, marks)
}

fn changed(text: &str, (place, kind, character): (prop::sample::Index, u8, char)) -> String {
    let mut characters: Vec<_> = text.chars().collect();
    if characters.is_empty() {
        return character.to_string();
    }
    let place = place.index(characters.len());
    let end = if kind == 0 { place } else { place + 1 };
    let new = if kind == 1 { None } else { Some(character) };
    characters.splice(place..end, new);
    characters.into_iter().collect()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
