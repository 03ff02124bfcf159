//! Sessions: any bytes, and any payload that someone really signed.
#![no_main]

use kez_crypto::{SecretKey, Session, Signed, Tag, Timestamp, json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let (now, key) = (Timestamp::from_unix(1_779_678_000), SecretKey::from_seed([1; 32]));
    let nkey = key.public().nkey();
    let _ = Session::check(text, "kez.lat", &nkey, now);
    if let Ok(serde_json::Value::Object(payload)) = json::parse(text) {
        let signed = Signed::create(Tag::Session, payload, &key);
        let _ = Session::check(&signed.to_json(), "kez.lat", &nkey, now);
    }
});
