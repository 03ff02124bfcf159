//! Somebody at the broker's door, with credentials of the test's own choosing, who hears every word of the broker.

use std::fs;
use std::time::Duration;

use async_nats::{Auth, Client, ConnectError, ConnectErrorKind, ConnectOptions, Event};
use kez_contract::endpoint::rights;
use kez_crypto::{PublicKey, SecretKey, Session, Timestamp};
use kez_service::{Clock, random};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::mesh::{Mesh, SERVER};
use crate::person::Person;

/// A refused sign-in takes two seconds, a client's next attempt at most four more.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a client shows when it connects.
#[derive(Clone)]
pub struct Credentials {
    pub nkey: Option<String>,
    pub signature: Signature,
    pub token: Option<String>,
    pub user: Option<String>,
    pub password: Option<String>,
}

/// What it answers the broker's nonce with.
#[derive(Clone)]
pub enum Signature {
    Missing,
    By(SecretKey),
    Bytes(Vec<u8>),
}

impl Credentials {
    pub fn none() -> Self {
        Self { nkey: None, signature: Signature::Missing, token: None, user: None, password: None }
    }

    /// The identity's own key answers the nonce.
    pub fn plain(person: &SecretKey) -> Self {
        let nkey = Some(person.public().nkey());
        Self { nkey, signature: Signature::By(person.clone()), ..Self::none() }
    }

    /// A connection's key answers the nonce, and an envelope says whom it speaks for.
    pub fn session(connection: &SecretKey, envelope: impl Into<String>) -> Self {
        Self { token: Some(envelope.into()), ..Self::plain(connection) }
    }

    /// A fresh session of an hour, as Kez clients make it.
    pub fn fresh_session(person: &SecretKey) -> Self {
        let connection = SecretKey::from_seed(random::bytes());
        let envelope = session_envelope(person, connection.public(), SERVER, 0, 3600);
        Self::session(&connection, envelope)
    }

    /// A fresh session of an hour, signed by something that calls itself a device of `primary`.
    pub fn on_device(primary: PublicKey, device: &SecretKey) -> Self {
        let connection = SecretKey::from_seed(random::bytes());
        let envelope = envelope_by(device, primary, connection.public(), SERVER, 0, 3600);
        Self::session(&connection, envelope)
    }

    /// A fresh session of an hour that is for waking alone, signed by the person or by a device of theirs.
    pub fn to_wake(primary: PublicKey, signer: &SecretKey) -> Self {
        let (connection, now) = (SecretKey::from_seed(random::bytes()), now());
        let (session, end) = (connection.public(), now.plus_seconds(3600));
        let envelope = Session::create_to_wake(primary, session, SERVER, now, end, signer);
        Self::session(&connection, String::from_utf8(envelope).unwrap())
    }

    fn answer(&self, nonce: &[u8]) -> Auth {
        let mut auth = Auth::new();
        auth.nkey.clone_from(&self.nkey);
        auth.token.clone_from(&self.token);
        auth.username.clone_from(&self.user);
        auth.password.clone_from(&self.password);
        auth.signature = match &self.signature {
            Signature::Missing => None,
            Signature::By(key) => Some(key.sign(nonce).to_vec()),
            Signature::Bytes(bytes) => Some(bytes.clone()),
        };
        auth
    }
}

/// A session that `person` signs, from and until so many seconds from now.
pub fn session_envelope(
    person: &SecretKey,
    connection: PublicKey,
    server: &str,
    from: i64,
    until: i64,
) -> String {
    envelope_by(person, person.public(), connection, server, from, until)
}

fn envelope_by(
    signer: &SecretKey,
    primary: PublicKey,
    connection: PublicKey,
    server: &str,
    from: i64,
    until: i64,
) -> String {
    let [from, until] = [from, until].map(|seconds| now().plus_seconds(seconds));
    let envelope = Session::create(primary, connection, server, from, until, signer);
    String::from_utf8(envelope).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_unix(Clock::default().now())
}

/// A bare connection, and all that is said on it.
pub struct Guest {
    pub nats: Client,
    events: UnboundedReceiver<Event>,
    fences: u32,
}

impl Guest {
    /// Signs in once, hoping to be `person`.
    pub async fn enter(url: &str, person: PublicKey, credentials: Credentials) -> Result<Self, ConnectError> {
        Self::connect(url, options(person, person, credentials)).await
    }

    /// Signs in once, hoping to be `device` of `primary`, and hears its replies.
    pub async fn enter_on_device(
        url: &str,
        [primary, device]: [PublicKey; 2],
        credentials: Credentials,
    ) -> Result<Self, ConnectError> {
        Self::connect(url, options(primary, device, credentials)).await
    }

    /// Comes to the door and is not let in.
    pub async fn assert_refused(url: &str, person: PublicKey, credentials: Credentials, what: &str) {
        let Err(refusal) = Self::enter(url, person, credentials).await else { panic!("let in: {what}") };
        assert_eq!(refusal.kind(), ConnectErrorKind::AuthorizationViolation, "{what}");
    }

    /// Comes to the door and stays there until let in.
    pub async fn wait(url: &str, person: PublicKey, credentials: Credentials) -> Self {
        let options = options(person, person, credentials).retry_on_initial_connect();
        Self::connect(url, options).await.expect("waiting is not refused")
    }

    /// Another connection of somebody's.
    pub async fn person(mesh: &Mesh, person: &Person) -> Self {
        let credentials = Credentials::plain(&person.secret);
        Self::enter(&mesh.plan.nats_url, person.key(), credentials).await.expect("people may connect again")
    }

    /// Another connection of one of the mesh's own users.
    pub async fn user(mesh: &Mesh, user: &str) -> Self {
        let seed = fs::read_to_string(mesh.keys.seed_file(user)).unwrap();
        let options =
            ConnectOptions::with_nkey(seed.trim().to_owned()).custom_inbox_prefix(format!("_INBOX_{user}"));
        Self::connect(&mesh.plan.nats_url, options).await.expect("the mesh's own users connect")
    }

    async fn connect(url: &str, options: ConnectOptions) -> Result<Self, ConnectError> {
        let (tell, events) = unbounded_channel();
        let nats = options
            .event_callback(move |event| {
                // The guest may have left.
                drop(tell.send(event));
                std::future::ready(())
            })
            .connect(url)
            .await?;
        Ok(Self { nats, events, fences: 0 })
    }

    /// The next thing that happens on this connection.
    pub async fn event(&mut self) -> Event {
        let event = timeout(PATIENCE, self.events.recv()).await.expect("something happens");
        event.expect("the connection lives")
    }

    /// Waits until this happens on the connection; how much else happened before.
    pub async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> usize {
        let mut before = 0;
        while !wanted(&self.event().await) {
            before += 1;
        }
        before
    }

    /// Waits until the broker has ended this connection.
    pub async fn until_disconnected(&mut self) {
        self.until(|event| *event == Event::Disconnected).await;
    }

    /// What the broker has refused since the last time, in its words.
    pub async fn refusals(&mut self) -> Vec<String> {
        // Replies on the broker's own subjects are refused to everyone, in the order in which all is said.
        self.fences += 1;
        let fence = format!("_R_.fence.{}", self.fences);
        self.nats.publish_with_reply(fence.clone(), fence.clone(), "".into()).await.unwrap();
        let mut refusals = Vec::new();
        loop {
            match self.event().await {
                Event::ServerError(error) if error.to_string().contains(&fence) => return refusals,
                Event::ServerError(error) => refusals.push(error.to_string()),
                Event::Connected => {}
                other => panic!("the broker ended it: {other}"),
            }
        }
    }
}

fn options(primary: PublicKey, device: PublicKey, credentials: Credentials) -> ConnectOptions {
    ConnectOptions::with_auth_callback(move |nonce| std::future::ready(Ok(credentials.answer(&nonce))))
        .custom_inbox_prefix(rights::inbox_prefix(&primary.to_hex(), &device.to_hex()))
}
