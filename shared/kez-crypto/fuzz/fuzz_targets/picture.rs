//! Pictures of profiles: what is read says the same when it is written again, and no bytes open with a key that is not theirs.
#![no_main]

use kez_crypto::{Picture, PictureKey, Preview, SecretKey, json, open_picture};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    if let Ok(value) = json::parse(text)
        && let Ok(picture) = Picture::from_value(&value)
    {
        assert_eq!(picture.to_value(), value);
        let me = SecretKey::from_seed([1; 32]);
        assert!(picture.own_key(&me).is_err());
        assert!(open_picture(&picture, &me.public(), &PictureKey::from_bytes([1; 32])).is_err());
    }
    let text = String::from_utf8_lossy(text);
    if let Ok(preview) = Preview::parse(&text) {
        assert_eq!(preview.to_string(), text);
    }
    if let Ok(key) = PictureKey::parse(&text) {
        assert_eq!(key.to_base64url(), text);
    }
});
