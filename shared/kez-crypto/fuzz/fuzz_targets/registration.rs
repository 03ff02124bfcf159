//! Registrations: any bytes, and any payload that someone really signed.
#![no_main]

use kez_crypto::{Registration, SecretKey, Signed, Tag, Timestamp, json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let now = Timestamp::from_unix(1_779_678_000);
    let _ = Registration::check(text, "kez.lat", now);
    if let Ok(serde_json::Value::Object(payload)) = json::parse(text) {
        let signed = Signed::create(Tag::HandleRegistration, payload, &SecretKey::from_seed([1; 32]));
        let _ = Registration::check(&signed.to_json(), "kez.lat", now);
    }
});
