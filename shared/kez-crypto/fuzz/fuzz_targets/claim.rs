//! Claims: any bytes, and any payload that an identity of either algorithm really signed.
#![no_main]

use kez_crypto::{Claim, Identifier, NostrSecret, Primary, SecretKey, Signed, Signer, Tag, Timestamp, json};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let now = Timestamp::from_unix(1_779_678_000);
    let _ = Claim::parse(text);
    if let Ok(identifier) = Identifier::parse(&String::from_utf8_lossy(text)) {
        if let Some(primary) = identifier.primary() {
            assert_eq!(Identifier::from(primary), identifier);
            assert_eq!(Primary::parse(identifier.as_str()), Ok(primary));
        }
    }
    let Ok(serde_json::Value::Object(payload)) = json::parse(text) else { return };
    let (ed25519, nostr) = (SecretKey::from_seed([1; 32]), NostrSecret::from_bytes([1; 32]).unwrap());
    for key in [Signer::from(&ed25519), Signer::from(&nostr)] {
        let envelope = Signed::create(Tag::Claim, payload.clone(), key).to_json();
        let Ok(claim) = Claim::parse(&envelope) else { continue };
        assert_eq!(claim.primary, key.public());
        let in_time = claim.expires_at.is_none_or(|end| now < end);
        assert_eq!(claim.check(&claim.subject, &claim.primary, now).is_ok(), in_time);
        let again = Claim::create(&claim.subject, claim.created_at, claim.expires_at, key);
        assert_eq!(Claim::parse(&again), Ok(claim));
    }
});
