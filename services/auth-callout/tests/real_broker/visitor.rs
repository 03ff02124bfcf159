//! Somebody at the broker's door: speaks NATS' protocol by hand, so that every credential can be bent.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kez_contract::registry::{REGISTER, Registered};
use kez_crypto::{PublicKey, Registration, SecretKey, Session, Timestamp};
use kez_service::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

use crate::broker::{Broker, SERVER};

pub struct Visitor {
    stream: BufStream<TcpStream>,
    pub nonce: String,
}

impl Visitor {
    /// Comes to the door and is given a nonce.
    pub async fn arrive(broker: &Broker) -> Self {
        let stream = TcpStream::connect(&broker.address).await.unwrap();
        let mut visitor = Self { stream: BufStream::new(stream), nonce: String::new() };
        let info = visitor.line().await;
        let info: Value = serde_json::from_str(info.strip_prefix("INFO ").unwrap()).unwrap();
        info["nonce"].as_str().unwrap().clone_into(&mut visitor.nonce);
        visitor
    }

    /// Shows credentials, and says what the broker says to them.
    pub async fn knock(&mut self, credentials: Value) -> String {
        self.show(credentials).await;
        self.line().await
    }

    pub async fn show(&mut self, mut credentials: Value) {
        for (name, value) in [("verbose", json!(false)), ("headers", json!(true)), ("protocol", json!(1))] {
            credentials[name] = value;
        }
        self.say(&format!("CONNECT {credentials}\r\nPING\r\n")).await;
    }

    /// Says something, and whether the broker lets it pass.
    pub async fn may(&mut self, said: &str) -> bool {
        self.say(&format!("{said}\r\nPING\r\n")).await;
        let mut line = self.line().await;
        let refused = line.starts_with("-ERR 'Permissions Violation");
        if refused {
            line = self.line().await;
        }
        assert_eq!(line, "PONG");
        !refused
    }

    /// Registers a handle, and says whether that worked.
    pub async fn register(&mut self, handle: &str, person: &SecretKey) -> bool {
        let now = Timestamp::from_unix(Clock::default().now());
        let envelope = Registration::create(&handle.parse().unwrap(), SERVER, now, person);
        let body = format!(r#"{{"envelope":{}}}"#, String::from_utf8(envelope).unwrap());
        let me = person.public().to_hex();
        let (subject, length) = (REGISTER.subject(&me, &me), body.len());
        self.say(&format!(
            "SUB _INBOX_{me}_{me}.* 1\r\nPUB {subject} _INBOX_{me}_{me}.1 {length}\r\n{body}\r\n"
        ))
        .await;
        let header = self.line().await;
        let length = header.rsplit(' ').next().unwrap().parse().unwrap();
        let mut reply = vec![0; length];
        self.stream.read_exact(&mut reply).await.unwrap();
        assert_eq!(self.line().await, "");
        serde_json::from_slice::<Registered>(&reply).is_ok_and(|registered| registered.created)
    }

    /// The next line that is not a question of the broker's own; empty at the end.
    pub async fn line(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).await.unwrap();
            match line.trim_end() {
                "PING" => self.say("PONG\r\n").await,
                // Told again what the server is, once signed in.
                info if info.starts_with("INFO ") && !self.nonce.is_empty() => {}
                other => return other.to_owned(),
            }
        }
    }

    async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
        self.stream.flush().await.unwrap();
    }
}

/// What `key` shows, with the nonce signed by `signer`.
pub fn by_key(key: PublicKey, signer: &SecretKey, nonce: &str) -> Value {
    json!({ "nkey": key.nkey(), "sig": URL_SAFE_NO_PAD.encode(signer.sign(nonce.as_bytes())) })
}

/// What somebody shows whose own key signed the nonce.
pub fn plain(person: &SecretKey, nonce: &str) -> Value {
    by_key(person.public(), person, nonce)
}

/// What somebody shows whose session names a fresh key, that signed the nonce, for `seconds`.
pub fn session(person: &SecretKey, server: &str, seconds: i64, nonce: &str) -> Value {
    let connection = SecretKey::from_seed(kez_service::random::bytes());
    let mut credentials = plain(&connection, nonce);
    credentials["auth_token"] = json!(envelope(person, connection.public(), server, seconds));
    credentials
}

/// A session that `person` signs, from now or, for negative seconds, until so long ago.
pub fn envelope(person: &SecretKey, connection: PublicKey, server: &str, seconds: i64) -> String {
    let now = Timestamp::from_unix(Clock::default().now());
    let ends = now.plus_seconds(seconds);
    let begins = if seconds > 0 { now } else { ends.plus_seconds(-60) };
    let envelope = Session::create(person.public(), connection, server, begins, ends, person);
    String::from_utf8(envelope).unwrap()
}
