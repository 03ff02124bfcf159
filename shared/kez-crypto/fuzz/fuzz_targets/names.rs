//! Short texts: handles, identifiers, keys, times and phrases; each taken text is the only one for what it says.
#![no_main]

use kez_crypto::{FullHandle, Handle, Identifier, MessageId, Phrase, Primary, PublicKey, Timestamp, phrase};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(handle) = Handle::parse(text) {
        assert_eq!(handle.as_str(), text);
    }
    if let Ok(full) = FullHandle::parse(text) {
        assert_eq!(full.to_string(), text);
    }
    if let Ok(identifier) = Identifier::parse(text) {
        assert_eq!(Identifier::parse(identifier.as_str()), Ok(identifier));
    }
    if let Ok(key) = PublicKey::parse(text) {
        assert_eq!(key.identifier(), text);
    }
    if let Ok(primary) = Primary::parse(text) {
        assert_eq!(primary.to_string(), text);
    }
    if let Ok(key) = PublicKey::from_nkey(text) {
        assert_eq!(key.nkey(), text);
    }
    if let Ok(time) = Timestamp::parse(text) {
        assert_eq!(time.to_string(), text);
    }
    if let Ok(id) = MessageId::parse(text) {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(phrase) = Phrase::parse(text) {
        assert_eq!(
            phrase::parse(&phrase.words().join(" ")).map(|again| *again.to_seed()),
            Ok(*phrase.to_seed())
        );
    }
});
