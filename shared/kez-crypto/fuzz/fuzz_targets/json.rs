//! Strict JSON: what is taken is JSON, and reads the same again once it is canonical.
#![no_main]

use kez_crypto::json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    if let Ok(value) = json::parse(text) {
        let canonical = json::canonical(&value);
        assert_eq!(json::parse(&canonical).as_ref(), Ok(&value));
    }
});
