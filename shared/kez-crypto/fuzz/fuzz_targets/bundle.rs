//! Bundles: any text, and any bytes as the frame of a packed one; what is read can be written again.
#![no_main]

use data_encoding::BASE64URL_NOPAD;
use kez_crypto::bundle::{PACKED, from_lines, pack, read, to_lines, unpack};
use kez_crypto::chain::parse_event;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The magic number is given, for it says nothing.
    let whole = [&[0x28, 0xb5, 0x2f, 0xfd], bytes].concat();
    let whole = format!("{PACKED}{}", BASE64URL_NOPAD.encode(&whole));
    for text in [bytes, whole.as_bytes()] {
        let Ok(events) = read(text) else { continue };
        for event in &events {
            let _ = parse_event(event);
        }
        let lines = to_lines(&events);
        let again = from_lines(&lines).unwrap();
        assert_eq!(again.len(), events.len());
        assert_eq!(pack(&lines).and_then(|packed| unpack(&packed)), Ok(lines));
    }
});
