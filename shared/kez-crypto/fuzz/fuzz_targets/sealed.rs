//! Sealed messages: the fast check and the full parser agree, and nothing that a stranger seals can harm who opens it.
#![no_main]

use kez_crypto::{Sealed, SecretKey, Timestamp, json, open, sealed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let (carried, parsed) = (sealed::carry(text), Sealed::parse(text));
    assert_eq!(carried.as_ref().err(), parsed.as_ref().err());
    if let (Ok(carried), Ok(parsed)) = (carried, parsed) {
        assert_eq!(carried.canonical, parsed.canonical());
        assert_eq!(carried.transport_id, parsed.transport_id());
        assert_eq!(json::parse(text).map(|value| json::canonical(&value)), Ok(carried.canonical));
        let me = SecretKey::from_seed([1; 32]);
        assert!(open(&parsed, &me, Timestamp::from_unix(0)).is_err());
    }
});
