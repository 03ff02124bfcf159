//! Request signatures for HTTP: `X-KEZ-Auth: <unix seconds>:<128 hex>` (protocol section 5).
//!
//! The functions named after requests give the lines to sign without the last one, the time, which [`sign`] and
//! [`check`] add.

use data_encoding::HEXLOWER;

use crate::envelope::signature_from_hex;
use crate::{Fault, Handle, PublicKey, SecretKey, Timestamp};

/// The clock skew that servers allow, in seconds.
pub const SKEW_SECONDS: i64 = 60;

/// `GET /v1/inbox/<handle>?since=<n>`.
pub fn inbox(handle: &Handle, since: u64) -> String {
    format!("GET\n/v1/inbox/{handle}\nsince={since}")
}

/// `GET /v1/inbox/<handle>/stream`.
pub fn stream(handle: &Handle) -> String {
    format!("GET\n/v1/inbox/{handle}/stream")
}

/// `POST /v1/push/subscribe/<handle>` of a subscription with this endpoint URL.
pub fn push_subscribe(handle: &Handle, endpoint: &str) -> String {
    format!("POST\n/v1/push/subscribe/{handle}\n{endpoint}")
}

/// `POST /v1/push/unsubscribe/<handle>` of the subscription with this endpoint URL.
pub fn push_unsubscribe(handle: &Handle, endpoint: &str) -> String {
    format!("POST\n/v1/push/unsubscribe/{handle}\n{endpoint}")
}

/// `GET /v1/push/subscriptions/<handle>`.
pub fn push_subscriptions(handle: &Handle) -> String {
    format!("GET\n/v1/push/subscriptions/{handle}")
}

/// `PUT /v1/profile/<handle>` with a body of this SHA-256, in lower-case hex.
pub fn profile(handle: &Handle, body_sha256_hex: &str) -> String {
    format!("PUT\n/v1/profile/{handle}\n{body_sha256_hex}")
}

/// `PUT /v1/profile/<handle>/proofs` with a body of this SHA-256, in lower-case hex.
pub fn proofs(handle: &Handle, body_sha256_hex: &str) -> String {
    format!("PUT\n/v1/profile/{handle}/proofs\n{body_sha256_hex}")
}

/// Signs the lines at a time; the header's value.
pub fn sign(text: &str, now: Timestamp, key: &SecretKey) -> String {
    let seconds = now.unix();
    let signature = key.sign(format!("{text}\n{seconds}").as_bytes());
    format!("{seconds}:{}", HEXLOWER.encode(&signature))
}

/// Checks a header against the lines that the request stands for; the time that it names, in unix seconds.
///
/// # Errors
/// [`Fault::InvalidAuth`] unless the header is a decimal number (no sign, no leading zeros), a colon and 128 lower-case
/// hex digits; [`Fault::StaleTimestamp`] beyond `skew_seconds` either way; [`Fault::BadSignature`].
pub fn check(
    header: &str,
    text: &str,
    key: &PublicKey,
    now: Timestamp,
    skew_seconds: i64,
) -> Result<i64, Fault> {
    let (digits, hex) = header.split_once(':').ok_or(Fault::InvalidAuth)?;
    let seconds = unix_seconds(digits).ok_or(Fault::InvalidAuth)?;
    let signature = signature_from_hex(hex).ok_or(Fault::InvalidAuth)?;
    if now.unix().saturating_sub(seconds).abs() > skew_seconds {
        return Err(Fault::StaleTimestamp);
    }
    key.verify_strict(format!("{text}\n{digits}").as_bytes(), &signature)?;
    Ok(seconds)
}

/// A decimal number of at most twelve digits, written the one way.
fn unix_seconds(digits: &str) -> Option<i64> {
    let plain = (1..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    if plain && !leading_zero { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_one_minute_of_skew() {
        let key = SecretKey::from_seed([1; 32]);
        let text = stream(&Handle::parse("alice").unwrap());
        let header = sign(&text, Timestamp::from_unix(1000), &key);
        let at = |now| check(&header, &text, &key.public(), Timestamp::from_unix(now), SKEW_SECONDS);
        assert_eq!([at(940), at(1000), at(1060)], [Ok(1000); 3]);
        assert_eq!([at(939), at(1061)], [Err(Fault::StaleTimestamp); 2]);
        let other = inbox(&Handle::parse("alice").unwrap(), 0);
        assert_eq!(
            check(&header, &other, &key.public(), Timestamp::from_unix(1000), SKEW_SECONDS),
            Err(Fault::BadSignature)
        );
    }

    #[test]
    fn header_grammar_is_strict() {
        let key = SecretKey::from_seed([1; 32]);
        let hex = "0".repeat(128);
        for digits in ["", "-1", "+1", "01", "00", " 1", "1 ", "1.0", "1e3", "1234567890123", "١"] {
            let header = format!("{digits}:{hex}");
            assert_eq!(
                check(&header, "", &key.public(), Timestamp::from_unix(1), 60),
                Err(Fault::InvalidAuth),
                "{digits}"
            );
        }
        for header in
            ["", "1", &hex, &format!("1:{}", &hex[1..]), &format!("1:{hex}0"), &format!("1:{}A", &hex[1..])]
        {
            assert_eq!(
                check(header, "", &key.public(), Timestamp::from_unix(1), 60),
                Err(Fault::InvalidAuth)
            );
        }
    }
}
