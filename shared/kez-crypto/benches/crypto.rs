//! How long the crate's work takes, on a message of about one kibibyte and on a sigchain of 10,000 events:
//! `cargo bench -p kez-crypto`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use kez_crypto::chain::device_proof;
use kez_crypto::{
    Body, Chain, Claim, Identifier, Message, MessageId, NostrSecret, Op, Primary, PublicKey, Sealed,
    SecretKey, Signed, Signer, Tag, Timestamp, bundle, encoding, json, open, seal, sealed,
};

fn message(from: &SecretKey, to: PublicKey) -> Message {
    Message {
        id: MessageId::from_bytes([7; 16]),
        primary: from.public(),
        device: None,
        to,
        sent_at: Timestamp::from_unix(1_779_678_000),
        body: Body::text("All work and no play makes Jack a dull boy. ".repeat(24)),
    }
}

fn crypto(criterion: &mut Criterion) {
    let (alice, bob) = (SecretKey::from_seed([1; 32]), SecretKey::from_seed([2; 32]));
    let message = message(&alice, bob.public());
    let now = message.sent_at;
    let Ok(sealed_message) = seal(&message, &alice, [3; 32]) else { return };
    let sealed_text = sealed_message.canonical();
    let signed = Signed::create(Tag::Message, message.to_payload(), &alice);
    let envelope = signed.to_json();
    let payload = json::canonical_object(&signed.payload);
    let value = signed.to_value();

    criterion.bench_function("seal", |b| b.iter(|| seal(black_box(&message), &alice, [3; 32])));
    criterion.bench_function("open", |b| b.iter(|| open(black_box(&sealed_message), &bob, now)));
    criterion.bench_function("verify strictly", |b| {
        b.iter(|| alice.public().verify_strict(black_box(&payload), signed.signature()))
    });
    criterion.bench_function("parse and verify envelope", |b| {
        b.iter(|| Signed::parse(black_box(&envelope), Tag::Message))
    });
    criterion.bench_function("parse strict JSON", |b| b.iter(|| json::parse(black_box(&envelope))));
    criterion.bench_function("canonicalise JSON", |b| b.iter(|| json::canonical(black_box(&value))));
    criterion.bench_function("carry", |b| b.iter(|| sealed::carry(black_box(&sealed_text))));
    criterion.bench_function("parse sealed", |b| b.iter(|| Sealed::parse(black_box(&sealed_text))));
}

/// A chain of this many claims, made and taken back in turn.
fn claimed(length: u64, key: Signer<'_>) -> Vec<Vec<u8>> {
    chain(length, key, |number, _| {
        let subject = Identifier::parse(&format!("github:account-{}", number / 2)).ok()?;
        Some(if number % 2 == 0 { Op::Add { subject } } else { Op::Revoke { subject } })
    })
}

/// A chain of this many devices, each with a proof to check: the dearest chain there is.
fn devices(length: u64, key: Signer<'_>) -> Vec<Vec<u8>> {
    chain(length, key, |number, primary| {
        let mut seed = [7; 32];
        seed.iter_mut().zip(number.to_le_bytes()).for_each(|(place, byte)| *place = byte);
        let device = SecretKey::from_seed(seed);
        let proof = data_encoding::HEXLOWER.encode(&device_proof(primary, &device));
        Some(Op::AddDevice { device: device.public(), name: "device".into(), proof })
    })
}

fn chain(length: u64, key: Signer<'_>, op: impl Fn(u64, Primary) -> Option<Op>) -> Vec<Vec<u8>> {
    let mut chain = Chain::new(key.public());
    let mut events = Vec::new();
    while let Some(op) = op(chain.length(), key.public()).filter(|_| chain.length() < length) {
        let event = chain.sign_next(&op, Timestamp::from_unix(1_779_678_000), key);
        if chain.append(&event).is_err() {
            break;
        }
        events.push(event);
    }
    events
}

fn verified(events: &[Vec<u8>], key: Signer<'_>) -> Chain {
    let mut chain = Chain::new(key.public());
    let valid = events.iter().all(|event| chain.append_downloaded(event).is_ok());
    assert!(valid, "the bench makes valid chains");
    chain
}

fn chains(criterion: &mut Criterion) {
    let ed25519 = SecretKey::from_seed([1; 32]);
    let Ok(nostr) = NostrSecret::from_bytes([1; 32]) else { return };
    let (ed25519, nostr) = (Signer::from(&ed25519), Signer::from(&nostr));
    let mut group = criterion.benchmark_group("chains");
    group.sample_size(10);
    for (name, key, events) in [
        ("chain-10000", ed25519, claimed(10_000, ed25519)),
        ("chain-10000-devices", ed25519, devices(10_000, ed25519)),
        ("chain-10000-nostr", nostr, claimed(10_000, nostr)),
    ] {
        assert_eq!(verified(&events, key).length(), 10_000);
        group.bench_function(name, |b| b.iter(|| verified(black_box(&events), key)));
    }
    let lines = bundle::to_lines(claimed(10_000, ed25519));
    group.bench_function("pack-10000", |b| b.iter(|| bundle::pack(black_box(&lines))));
    if let Ok(packed) = bundle::pack(&lines) {
        group.bench_function("unpack-10000", |b| b.iter(|| bundle::unpack(black_box(&packed))));
    }
    group.finish();
}

fn claims(criterion: &mut Criterion) {
    let key = SecretKey::from_seed([1; 32]);
    let Ok(subject) = Identifier::parse("github:tudisco") else { return };
    let claim = Claim::create(&subject, Timestamp::from_unix(1_779_678_000), None, &key);
    let compact = encoding::compact(&claim);
    let page = format!("{}\n{compact}\n", "All work and no play makes Jack a dull boy. ".repeat(1000));
    criterion.bench_function("compact a claim", |b| b.iter(|| encoding::compact(black_box(&claim))));
    criterion.bench_function("decode a compact claim", |b| b.iter(|| encoding::decode(black_box(&compact))));
    criterion.bench_function("find a claim in 45 KB", |b| b.iter(|| encoding::find(black_box(&page))));
    criterion.bench_function("parse a claim", |b| b.iter(|| Claim::parse(black_box(&claim))));
}

criterion_group!(benches, crypto, claims, chains);
criterion_main!(benches);
