//! Signed envelopes: what bytes claim to be one, and what any payload becomes once it is signed.
#![no_main]

use kez_crypto::{Message, SecretKey, Signed, Tag, json};
use libfuzzer_sys::fuzz_target;

const TAGS: [Tag; 6] =
    [Tag::HandleRegistration, Tag::Claim, Tag::SigchainEvent, Tag::Message, Tag::Session, Tag::Profile];

fuzz_target!(|text: &[u8]| {
    for tag in TAGS {
        if let Ok(signed) = Signed::parse(text, tag) {
            assert_eq!(Signed::parse(&signed.to_json(), tag), Ok(signed));
        }
    }
    // The input as a payload, so that what comes after the signature is reached too.
    if let Ok(serde_json::Value::Object(payload)) = json::parse(text) {
        let signed = Signed::create(Tag::Message, payload, &SecretKey::from_seed([1; 32]));
        if let Ok(message) = Message::from_signed(&signed) {
            let again = Signed::create(Tag::Message, message.to_payload(), &SecretKey::from_seed([1; 32]));
            assert_eq!(Message::from_signed(&again), Ok(message));
        }
    }
});
