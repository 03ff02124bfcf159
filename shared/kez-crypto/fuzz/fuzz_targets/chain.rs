//! Sigchains: any bytes as an event, and any lines as the payloads of events that someone really signed.
#![no_main]

use kez_crypto::chain::parse_event;
use kez_crypto::{Chain, SecretKey, Signed, Tag, json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let key = SecretKey::from_seed([1; 32]);
    let mut chain = Chain::new(key.public());
    let _ = chain.append(text);
    for line in text.split(|byte| *byte == b'\n') {
        let Ok(serde_json::Value::Object(mut payload)) = json::parse(line) else { continue };
        // Which number and hash come next is given, for no fuzzer finds a hash.
        payload.insert("seq".into(), chain.length().into());
        if let Some(head) = chain.head() {
            payload.insert("prev".into(), head.into());
        }
        let event = Signed::create(Tag::SigchainEvent, payload, &key).to_json();
        let (before, alone) = (chain.clone(), parse_event(&event));
        match chain.append_downloaded(&event) {
            Ok(()) => assert_eq!(alone.map(|event| Some(event.hash)), Ok(chain.head())),
            Err(_) => assert_eq!(chain, before),
        }
    }
});
