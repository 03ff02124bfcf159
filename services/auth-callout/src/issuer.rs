//! What somebody who is let in gets: a user JWT with their rights, in an answer to the server that asked.

use anyhow::Result;
use kez_contract::endpoint::rights;
use kez_contract::sign_in::ACCOUNT;
use kez_crypto::{Purpose, SecretKey, Timestamp};
use nkeys::{KeyPair, KeyPairType};
use serde::Serialize;

use crate::jwt::{self, Request};
use crate::rules::Person;

/// The account key whose word nats-server takes.
pub struct Issuer {
    key: SecretKey,
    /// `A…`
    public: String,
    lifetime_seconds: i64,
}

impl Issuer {
    pub fn new(seed: [u8; 32], lifetime_seconds: i64) -> Result<Self> {
        let pair = KeyPair::new_from_raw(KeyPairType::Account, seed)?;
        Ok(Self { key: SecretKey::from_seed(seed), public: pair.public_key(), lifetime_seconds })
    }

    /// Our public key, to which requests are addressed.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The answer that lets `person` in.
    pub fn admit(
        &self,
        request: &Request,
        person: &Person,
        registered: bool,
        now: Timestamp,
    ) -> Result<String> {
        let user = self.user(&request.user_nkey, person, registered, now)?;
        let claims = Claims {
            jti: &request.user_nkey,
            iat: now.unix(),
            iss: &self.public,
            sub: &request.user_nkey,
            aud: request.server(),
            name: None,
            exp: None,
            nats: Answer { jwt: &user, kind: "authorization_response", version: 2 },
        };
        jwt::sign(&claims, &self.key)
    }

    fn user(&self, user_nkey: &str, person: &Person, registered: bool, now: Timestamp) -> Result<String> {
        let (primary, device) = (person.primary.to_hex(), person.device.to_hex());
        let publish = match (person.purpose, registered) {
            (Purpose::Everything, true) => rights::publish(&primary, &device),
            (Purpose::Everything, false) => rights::publish_unregistered(&primary, &device),
            (Purpose::Wake, _) => rights::publish_wake(&primary, &device),
        };
        let subscribe = match (person.purpose, registered) {
            (Purpose::Everything, true) => rights::subscribe(&primary, &device),
            _ => rights::subscribe_replies(&primary, &device),
        };
        let end = now.plus_seconds(self.lifetime_seconds);
        let claims = Claims {
            jti: user_nkey,
            iat: now.unix(),
            iss: &self.public,
            sub: user_nkey,
            aud: ACCOUNT,
            name: Some(&person.connection_name()),
            exp: Some(person.session_ends.map_or(end, |session| session.min(end)).unix()),
            nats: User {
                publish: Allowed { allow: publish },
                subscribe: Allowed { allow: subscribe },
                subs: -1,
                data: -1,
                payload: -1,
                kind: "user",
                version: 2,
            },
        };
        jwt::sign(&claims, &self.key)
    }
}

#[derive(Serialize)]
struct Claims<'a, Nats> {
    jti: &'a str,
    iat: i64,
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    nats: Nats,
}

#[derive(Serialize)]
struct Answer<'a> {
    jwt: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    version: u32,
}

/// The server takes limits from the account, not from here; they must be there and say "none".
#[derive(Serialize)]
struct User {
    #[serde(rename = "pub")]
    publish: Allowed,
    #[serde(rename = "sub")]
    subscribe: Allowed,
    subs: i64,
    data: i64,
    payload: i64,
    #[serde(rename = "type")]
    kind: &'static str,
    version: u32,
}

#[derive(Serialize)]
struct Allowed {
    allow: Vec<String>,
}
