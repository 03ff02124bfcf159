//! Which subscriptions are taken: an endpoint that is one, and keys that are keys.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kez_contract::Code;
use kez_contract::push::{MAX_ENDPOINT, SubscriptionKeys};
use kez_service::Fault;
use p256::PublicKey;
use url::{Host, Url};

/// Bytes of an uncompressed P-256 point, and of the secret that a browser shares with us.
const POINT: usize = 65;
const SECRET: usize = 16;

/// Checks the URL that pushes go to: `https`, written in the one way that URLs have, nobody's name in it, and no address that
/// may not be reached. What a name leads to is looked at whenever it is connected to.
pub fn endpoint(text: &str, may_be_reached: impl Fn(IpAddr) -> bool) -> Result<(), Fault> {
    if text.len() > MAX_ENDPOINT {
        return Err(Fault::new(Code::TooLarge, format!("an endpoint is at most {MAX_ENDPOINT} bytes")));
    }
    let url = Url::parse(text).map_err(|_| unusable("the endpoint is not a URL"))?;
    if url.as_str() != text {
        return Err(unusable("the endpoint is not written as browsers write URLs"));
    }
    if url.scheme() != "https" {
        return Err(unusable("the endpoint is not an https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(unusable("the endpoint has a user or a fragment"));
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return Err(unusable("the endpoint names no host")),
    };
    if address.is_some_and(|address| !may_be_reached(address)) {
        return Err(unusable("the endpoint is not on a public address"));
    }
    Ok(())
}

/// Checks the keys that payloads would be encrypted to.
pub fn keys(keys: &SubscriptionKeys) -> Result<(), Fault> {
    let point = decode::<POINT>(&keys.p256dh);
    // 0x04 says uncompressed; whoever encrypts to a point off the curve gives secrets away.
    let point = point.filter(|point| point.first() == Some(&4) && PublicKey::from_sec1_bytes(point).is_ok());
    if point.is_none() {
        return Err(unusable("p256dh is not an uncompressed P-256 point in base64url without padding"));
    }
    if decode::<SECRET>(&keys.auth).is_none() {
        return Err(unusable("auth is not 16 bytes in base64url without padding"));
    }
    Ok(())
}

/// The person has as many as one may have.
pub fn too_many() -> Fault {
    Fault::new(Code::TooManySubscriptions, Code::TooManySubscriptions.title())
}

/// A refusal under the same code, in the same words.
pub fn refuse(fault: kez_crypto::Fault) -> Fault {
    Fault::named(fault.code(), fault.to_string())
}

fn unusable(detail: &str) -> Fault {
    Fault::new(Code::InvalidSubscription, detail)
}

/// `N` bytes, written in the one way that there is for them.
fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    // A text of any other length is none; what is long is not decoded first.
    let bytes = (text.len() == (N * 8).div_ceil(6)).then(|| URL_SAFE_NO_PAD.decode(text))?;
    bytes.ok()?.try_into().ok()
}
