//! Small texts: JSON, times, names, keys, phrases, and single signatures.

use kez_crypto::{
    FullHandle, Handle, Identifier, Phrase, Primary, PublicKey, SecretKey, Timestamp, json, phrase,
    x25519_public, x25519_secret,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::{Person, TypeScript, change, changed, each, hex, person, said, secret_key, text, value};

pub fn agree(typescript: &TypeScript) {
    let written = (value(), vec(change(), 0..4));
    each("JSON", 1500, written, |(value, changes)| {
        let canonical = text(json::canonical(&value));
        let changed = changes.into_iter().fold(canonical, |text, change| changed(&text, change));
        let ours = json::parse(changed.as_bytes()).map(|value| text(json::canonical(&value)));
        assert_eq!(typescript.ask("json", json!({ "text": changed })), said(ours), "{changed}");
    });
    let nearly = (0i64..4_000_000_000, vec(change(), 0..2));
    each("times", 500, nearly, |(seconds, changes)| {
        let time = Timestamp::from_unix(seconds * 60 - 62_167_219_200).to_string();
        let time = changes.into_iter().fold(time, |text, change| changed(&text, change));
        let ours = Timestamp::parse(&time).map(Timestamp::unix);
        assert_eq!(typescript.ask("time", json!({ "text": time })), said(ours), "{time}");
    });
    each("names", 1500, name(), |name| {
        let given = || json!({ "text": name });
        let handle = Handle::parse(&name).map(|handle| handle.to_string());
        assert_eq!(typescript.ask("handle", given()), said(handle), "{name}");
        let full = FullHandle::parse(&name)
            .map(|full| json!({ "handle": full.handle.as_str(), "server": full.server }));
        assert_eq!(typescript.ask("full_handle", given()), said(full), "{name}");
        let identifier = Identifier::parse(&name).map(|identifier| identifier.to_string());
        assert_eq!(typescript.ask("identifier", given()), said(identifier), "{name}");
        let primary = Primary::parse(&name).map(|primary| primary.to_string());
        assert_eq!(typescript.ask("primary", given()), said(primary), "{name}");
        let key = PublicKey::from_nkey(&name).map(|key| key.identifier());
        assert_eq!(typescript.ask("from_nkey", given()), said(key), "{name}");
    });
    each("keys", 100, secret_key(), |secret| keys(typescript, &secret));
    let points = (any::<[u8; 32]>(), 0u8..4);
    each("points", 300, points, |(mut bytes, kind)| {
        match kind {
            0 => bytes = [0; 32],
            1 => bytes[1..].fill(0xff),
            _ => {}
        }
        let key = PublicKey::from_bytes(bytes);
        let ours = x25519_public(&key).map(|public| hex(&public));
        assert_eq!(typescript.ask("x25519", json!({ "primary": key.identifier() })), said(ours));
    });
    each(
        "phrases",
        200,
        (any::<[u8; 32]>(), any::<bool>(), vec(change(), 0..2)),
        |(bytes, is_long, changes)| {
            phrases(typescript, &bytes, is_long, changes);
        },
    );
    let signature = (person(), vec(any::<u8>(), 0..100), 0usize..1200);
    each("signatures", 500, signature, |(person, message, bit)| {
        signatures(typescript, &person, &message, bit);
    });
}

/// Names of every kind, whole and with a change.
fn name() -> impl Strategy<Value = String> {
    let whole = prop_oneof![
        "[a-z0-9_-]{1,34}",
        "[a-z0-9_-]{2,6}@[a-z0-9.-]{1,12}(:[0-9]{0,6})?",
        "(github|mastodon|ap|web|dns|nostr|bluesky|X|a1):[a-z@:/.]{0,12}",
        "web:https://[a-z.]{0,8}",
        "\\PC{0,12}:\\PC{0,12}",
        prop::sample::select(vec!["root", "kez", "admin", "mailer-daemon"]).prop_map(str::to_owned),
        person().prop_map(|person| person.signer().public().to_string()),
        secret_key().prop_map(|secret| secret.public().nkey()),
        any::<String>(),
    ];
    (whole, vec(change(), 0..2))
        .prop_map(|(name, changes)| changes.into_iter().fold(name, |name, change| changed(&name, change)))
}

fn keys(typescript: &TypeScript, secret: &SecretKey) {
    let public = secret.public();
    let ours = json!({
        "primary": public.identifier(), "nkey": public.nkey(), "x25519": hex(&*x25519_secret(secret)),
    });
    assert_eq!(typescript.get("key", json!({ "seed": hex(secret.seed()) })), ours);
}

fn phrases(
    typescript: &TypeScript,
    bytes: &[u8; 32],
    is_long: bool,
    changes: Vec<(prop::sample::Index, u8, char)>,
) {
    let half = bytes.first_chunk().copied().unwrap();
    let (entropy, phrase) = if is_long {
        (&bytes[..], phrase::generate_24(*bytes))
    } else {
        (&bytes[..16], phrase::generate_12(half))
    };
    let words = phrase.words().join(" ");
    assert_eq!(typescript.get("phrase_of", json!({ "entropy": hex(entropy) })), words);
    let typed = changes.into_iter().fold(words, |words, change| changed(&words, change));
    let ours = match Phrase::parse(&typed) {
        Ok(phrase) => json!({ "value": hex(&*phrase.to_seed()) }),
        Err(fault) => json!({ "fault": fault.reason() }),
    };
    assert_eq!(typescript.ask("phrase", json!({ "text": typed })), ours, "{typed}");
}

/// A signature by Rust, whole or with one bit changed in it, the key or the message.
fn signatures(typescript: &TypeScript, person: &Person, message: &[u8], bit: usize) {
    let (mut key, mut message, mut signature) = match person {
        Person::Ed25519(secret) => (*secret.public().as_bytes(), message.to_vec(), secret.sign(message)),
        Person::Nostr(_, secret) => (*secret.public().as_bytes(), message.to_vec(), secret.sign(message)),
    };
    let flip = 1u8 << (bit % 8);
    match bit / 8 {
        place @ 0..64 => signature[place] ^= flip,
        place @ 64..96 => key[place - 64] ^= flip,
        place => message.get_mut(place - 96).into_iter().for_each(|byte| *byte ^= flip),
    }
    let (primary, holds) = match person {
        Person::Ed25519(_) => {
            let key = PublicKey::from_bytes(key);
            (Primary::from(key), key.verify_strict(&message, &signature).is_ok())
        }
        Person::Nostr(..) => {
            let key = kez_crypto::NostrKey::from_bytes(key);
            (Primary::from(key), key.verify(&message, &signature).is_ok())
        }
    };
    let given = json!({
        "primary": primary.to_string(), "message": hex(&message), "signature": hex(&signature),
    });
    assert_eq!(typescript.get("verify", given), holds);
}
