//! How long the crate's work takes on a message of about one kibibyte: `cargo bench -p kez-crypto`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use kez_crypto::{
    Body, Message, MessageId, PublicKey, Sealed, SecretKey, Signed, Tag, Timestamp, json, open, seal, sealed,
};

fn message(from: &SecretKey, to: PublicKey) -> Message {
    Message {
        id: MessageId::from_bytes([7; 16]),
        primary: from.public(),
        device: None,
        to,
        sent_at: Timestamp::from_unix(1_779_678_000),
        body: Body::Text { text: "All work and no play makes Jack a dull boy. ".repeat(24) },
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

criterion_group!(benches, crypto);
criterion_main!(benches);
