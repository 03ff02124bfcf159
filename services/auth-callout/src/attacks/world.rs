//! Us, a broker, and a few people: the true sign-ins that attacks begin with.

use async_nats::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kez_contract::sign_in::SERVER_XKEY_HEADER;
use kez_crypto::{PublicKey, SecretKey, Session, Timestamp};
use nkeys::{KeyPair, KeyPairType, XKey};
use serde_json::{Value, json};

use super::{HOUR, NOW};
use crate::app::Keys;
use crate::issuer::Issuer;
use crate::jwt;
use crate::refusal::NoAnswer;
use crate::sealing::Sealing;
use crate::sign_in::{Known, recognise};

pub const NONCE: &str = "9aBcD-fGh_jKlMn";

/// Everybody, with keys of their own.
pub struct World {
    pub keys: Keys,
    pub our_xkey: XKey,
    pub broker: SecretKey,
    pub broker_id: String,
    pub broker_xkey: XKey,
    pub alice: SecretKey,
    pub mallory: SecretKey,
    /// The connection key of Alice's session.
    pub connection: SecretKey,
}

pub fn world() -> World {
    let secret = |byte: u8| SecretKey::from_seed([byte; 32]);
    let broker = KeyPair::new_from_raw(KeyPairType::Server, [2; 32]).unwrap();
    World {
        keys: Keys {
            server: "kez.lat".to_owned(),
            issuer: Issuer::new([1; 32], 24 * HOUR).unwrap(),
            sealing: Sealing::new([7; 32]),
        },
        our_xkey: XKey::new_from_raw([7; 32]),
        broker: secret(2),
        broker_id: broker.public_key(),
        broker_xkey: XKey::new_from_raw([8; 32]),
        alice: secret(3),
        mallory: secret(4),
        connection: secret(5),
    }
}

impl World {
    /// The claims of somebody who shows `key` and has signed the nonce with `signer`.
    pub fn claims(&self, key: PublicKey, signer: &SecretKey) -> Value {
        json!({
            "iss": self.broker_id, "sub": self.keys.issuer.public(), "aud": "nats-authorization-request",
            "iat": NOW, "exp": NOW + 3, "jti": "repeats",
            "nats": {
                "type": "authorization_request", "version": 2, "user_nkey": self.user_nkey(),
                "server_id": { "id": self.broker_id, "xkey": self.broker_xkey.public_key(), "name": "kez" },
                "client_info": { "kind": "Client", "type": "websocket", "nonce": NONCE, "host": "127.0.0.1" },
                "connect_opts": { "nkey": key.nkey(), "sig": signature(signer), "lang": "rust", "protocol": 1 },
            }
        })
    }

    /// Alice with her own key.
    pub fn plain(&self) -> Value {
        self.claims(self.alice.public(), &self.alice)
    }

    /// Alice by a session in which she names the connection key.
    pub fn session(&self) -> Value {
        self.with_session(&self.envelope("kez.lat", NOW, NOW + HOUR, &self.alice))
    }

    pub fn with_session(&self, envelope: &str) -> Value {
        let mut claims = self.claims(self.connection.public(), &self.connection);
        shown(&mut claims)["auth_token"] = json!(envelope);
        claims
    }

    pub fn envelope(&self, server: &str, from: i64, to: i64, signer: &SecretKey) -> String {
        let (from, to) = (Timestamp::from_unix(from), Timestamp::from_unix(to));
        let envelope =
            Session::create(self.alice.public(), self.connection.public(), server, from, to, signer);
        String::from_utf8(envelope).unwrap()
    }

    /// What Alice, or a device of hers, signs for something that only wakes her.
    pub fn wake_envelope(&self, signer: &SecretKey) -> String {
        let (from, to) = (Timestamp::from_unix(NOW), Timestamp::from_unix(NOW + HOUR));
        let (alice, connection) = (self.alice.public(), self.connection.public());
        let envelope = Session::create_to_wake(alice, connection, "kez.lat", from, to, signer);
        String::from_utf8(envelope).unwrap()
    }

    pub fn user_nkey(&self) -> String {
        PublicKey::from_bytes([9; 32]).nkey()
    }

    pub fn token(&self, claims: &Value) -> String {
        jwt::sign(claims, &self.broker).unwrap()
    }

    pub fn ask(&self, claims: &Value) -> Result<Known, NoAnswer> {
        self.ask_token(&self.token(claims))
    }

    pub fn ask_token(&self, token: &str) -> Result<Known, NoAnswer> {
        self.ask_sealed(&self.broker_xkey.seal(token.as_bytes(), &self.our_xkey).unwrap())
    }

    pub fn ask_sealed(&self, payload: &[u8]) -> Result<Known, NoAnswer> {
        self.ask_from(&self.broker_xkey.public_key(), payload)
    }

    pub fn ask_from(&self, xkey: &str, payload: &[u8]) -> Result<Known, NoAnswer> {
        let mut headers = HeaderMap::new();
        headers.insert(SERVER_XKEY_HEADER, xkey);
        recognise(&self.keys, Some(&headers), payload, Timestamp::from_unix(NOW))
    }
}

pub fn signature(signer: &SecretKey) -> String {
    URL_SAFE_NO_PAD.encode(signer.sign(NONCE.as_bytes()))
}

pub fn shown(claims: &mut Value) -> &mut Value {
    &mut claims["nats"]["connect_opts"]
}
