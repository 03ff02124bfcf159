//! The `X-KEZ-Auth` header: nothing but our own signature is taken.
#![no_main]

use kez_crypto::{SecretKey, Timestamp, request_auth};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &str| {
    let key = SecretKey::from_seed([1; 32]);
    let now = Timestamp::from_unix(1_779_678_000);
    if let Ok(seconds) = request_auth::check(header, "GET", &key.public(), now, i64::MAX) {
        assert_eq!(header, request_auth::sign("GET", Timestamp::from_unix(seconds), &key));
    }
});
