//! NATS JWTs, version 2: `base64url(header).base64url(claims).base64url(signature)`, signed by an nkey.
//!
//! Their algorithm is called `ed25519-nkey`, which no general JWT crate reads. Nothing else is taken, and the
//! key that verifies comes from the claims' issuer, never from the header.

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use kez_crypto::{PublicKey, SecretKey, Timestamp};
use serde::{Deserialize, Serialize};

use crate::refusal::Unreadable;

const ALGORITHM: &str = "ed25519-nkey";
const AUDIENCE: &str = "nats-authorization-request";
/// A request expires when the broker's patience ends, by the broker's clock and cut to a whole second, which is still good.
/// Ours may be a second ahead; more would keep us busy, under load, with requests that nobody waits for any more.
const CLOCK_SKEW_SECONDS: i64 = 2;
/// A server's type in an nkey.
const SERVER: u8 = 13 << 3;

/// A sign-in that nats-server asks about. It leaves empty fields out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Request {
    #[serde(rename = "type")]
    kind: String,
    version: u32,
    server_id: ServerId,
    /// The key that the answer must be for, drawn anew for each attempt.
    pub user_nkey: String,
    pub client_info: ClientInfo,
    pub connect_opts: ConnectOptions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServerId {
    id: String,
    xkey: String,
}

/// The connection, as the server sees it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ClientInfo {
    pub kind: String,
    #[serde(rename = "type")]
    pub transport: String,
    /// What the server gave this connection to sign; absent when the client has signed nothing.
    pub nonce: String,
}

/// The credentials, as the client sent them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ConnectOptions {
    pub nkey: String,
    pub sig: String,
    pub auth_token: String,
    pub jwt: String,
    pub user: String,
    pub pass: String,
}

impl Request {
    /// The server that asks, to which the answer is addressed.
    pub fn server(&self) -> &str {
        &self.server_id.id
    }

    /// Reads a request that was sealed from `xkey`, and checks that the server which it names made it, for us and for
    /// now. What is cheap is checked first: requests that waited too long cost least of all.
    pub fn read(token: &[u8], issuer: &str, xkey: &str, now: Timestamp) -> Result<Self, Unreadable> {
        let token = std::str::from_utf8(token).map_err(|_| Unreadable::NotAJwt)?;
        let (signed, signature) = token.rsplit_once('.').ok_or(Unreadable::NotAJwt)?;
        let (header, claims) = signed.split_once('.').ok_or(Unreadable::NotAJwt)?;
        let header: Header = parse(header, Unreadable::NotAJwt)?;
        if header.alg != ALGORITHM || header.typ != "JWT" {
            return Err(Unreadable::WrongAlgorithm);
        }
        let claims: Claims = parse(claims, Unreadable::WrongClaims)?;
        let request = claims.nats;
        if claims.aud != AUDIENCE {
            return Err(Unreadable::WrongAudience);
        }
        if now.unix() >= claims.exp.saturating_add(CLOCK_SKEW_SECONDS) {
            return Err(Unreadable::Expired);
        }
        if request.kind != "authorization_request" || request.version != 2 {
            return Err(Unreadable::WrongClaims);
        }
        PublicKey::from_nkey(&request.user_nkey).map_err(|_| Unreadable::WrongClaims)?;
        if claims.sub != issuer {
            return Err(Unreadable::WrongIssuer);
        }
        if claims.iss != request.server_id.id {
            return Err(Unreadable::WrongServer);
        }
        if request.server_id.xkey != xkey {
            return Err(Unreadable::WrongXkey);
        }
        verify(&claims.iss, signed, signature)?;
        Ok(request)
    }
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    nats: Request,
}

fn parse<T: for<'de> Deserialize<'de>>(part: &str, otherwise: Unreadable) -> Result<T, Unreadable> {
    let json = BASE64.decode(part).map_err(|_| otherwise)?;
    serde_json::from_slice(&json).map_err(|_| otherwise)
}

fn verify(server: &str, signed: &str, signature: &str) -> Result<(), Unreadable> {
    let Ok((SERVER, key)) = nkeys::from_public_key(server) else { return Err(Unreadable::WrongServer) };
    let signature = BASE64.decode(signature).ok().and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
    let signature = signature.ok_or(Unreadable::BadSignature)?;
    PublicKey::from_bytes(key)
        .verify_strict(signed.as_bytes(), &signature)
        .map_err(|_| Unreadable::BadSignature)
}

/// Signs claims, which name the key's public half as their issuer.
pub fn sign(claims: &impl Serialize, key: &SecretKey) -> Result<String> {
    // {"typ":"JWT","alg":"ed25519-nkey"}
    let mut token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.".to_owned();
    BASE64.encode_string(serde_json::to_vec(claims)?, &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    BASE64.encode_string(signature, &mut token);
    Ok(token)
}
