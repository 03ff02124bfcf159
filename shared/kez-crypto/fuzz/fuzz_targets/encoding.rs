//! Published claims: any text, and any bytes as the frame of a compact one; what is decoded can be encoded again.
//! Not with `compact`: libzstd at its highest levels, built by GCC 12 for the address sanitizer, is accused of using
//! a constant table after its scope, which has none. The crate's properties try that.
#![no_main]

use data_encoding::BASE64URL_NOPAD;
use kez_crypto::encoding::{COMPACT, MAX_ENVELOPE_BYTES, MAX_FOUND, decode, find, markdown, txt_pieces};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let framed = format!("{COMPACT}{}", BASE64URL_NOPAD.encode(bytes));
    // The magic number is given, for it says nothing.
    let whole = [&[0x28, 0xb5, 0x2f, 0xfd], bytes].concat();
    let whole = format!("{COMPACT}{}", BASE64URL_NOPAD.encode(&whole));
    for text in [text.as_ref(), &framed, &whole] {
        let found = find(text);
        assert!(found.len() <= MAX_FOUND);
        assert_eq!(txt_pieces(text).concat(), text);
        for envelope in found.into_iter().chain([decode(text)]).flatten() {
            assert!(envelope.len() <= MAX_ENVELOPE_BYTES);
            assert_eq!(decode(&markdown(&envelope)).as_deref(), Ok(envelope.trim_ascii()));
        }
    }
});
